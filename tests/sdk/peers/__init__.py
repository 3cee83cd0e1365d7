"""Programs that use SQS, unmodified and as their makers ship them, at work against a server."""
