"""The SDK's face: the schema, and small resolvers that call operations."""
