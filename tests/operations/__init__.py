"""Permission, effect and transaction of each verb, on a real database."""
