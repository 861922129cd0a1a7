"""What is measured: each scenario drives one cache, times its calls, and checks that it has done the work."""
