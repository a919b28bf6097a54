"""The benchmarks themselves: what they measure must be what users have."""
