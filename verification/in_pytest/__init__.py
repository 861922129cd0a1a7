"""What the pytest plugin does once it is used. `radixcheck.verification.pytest_plugin` imports none of it before."""
