"""MD5s as the SQS developer guide says to compute them."""

import hashlib
import struct

STRING, BINARY = b"\x01", b"\x02"


def of_body(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def of_attributes(attributes: dict) -> str:
    """Sorted by name; name, type and value each behind a big-endian length of four bytes."""
    digest = hashlib.md5()
    for name in sorted(attributes):
        value = attributes[name]
        digest.update(counted(name.encode()) + counted(value["DataType"].encode()))
        if "BinaryValue" in value:
            digest.update(BINARY + counted(value["BinaryValue"]))
        else:
            digest.update(STRING + counted(value["StringValue"].encode()))
    return digest.hexdigest()


def counted(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data
