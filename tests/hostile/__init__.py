"""What wrong, huge and hostile requests get: a refusal, and nothing changed."""
