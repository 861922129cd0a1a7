"""Every mutant under every detector: who kills it, by which property, how soon. A check that kills nothing checks nothing."""
