"""The jobs of the commands: a frozen request in, a frozen result out."""
