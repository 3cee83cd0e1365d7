"""A model that is there whatever schemathesis asks for; its name is long enough that chance does not delete it."""

KNOWN = "conformancemodel"
