"""The outgoing face: what automations send, to whom it may go, and trying again."""
