"""What is measured: Byname itself."""
