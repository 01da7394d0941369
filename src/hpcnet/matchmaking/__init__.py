"""Pure: hard rules, estimates, ranks, and the decision they add up to."""
