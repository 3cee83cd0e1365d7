"""kill -9 under load: workers that write down what they saw, and the check of what they wrote."""
