"""What is sent: headers, the guard, and delivery."""
