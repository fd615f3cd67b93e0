from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_FIELD_INVALID: _ClassVar[ErrorReason]
    ERROR_REASON_PAGE_TOKEN_INVALID: _ClassVar[ErrorReason]
    ERROR_REASON_REQUEST_ID_REUSED: _ClassVar[ErrorReason]
    ERROR_REASON_REQUEST_ID_EXPIRED: _ClassVar[ErrorReason]
    ERROR_REASON_TOKEN_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_TOKEN_NOT_ACTIVE: _ClassVar[ErrorReason]
    ERROR_REASON_ETAG_MISMATCH: _ClassVar[ErrorReason]
    ERROR_REASON_ACTIVE_TOKEN_LIMIT: _ClassVar[ErrorReason]
    ERROR_REASON_CALLER_UNAUTHENTICATED: _ClassVar[ErrorReason]
    ERROR_REASON_ROLE_MISSING: _ClassVar[ErrorReason]
    ERROR_REASON_LEASE_NOT_HELD: _ClassVar[ErrorReason]
    ERROR_REASON_DATABASE_UNAVAILABLE: _ClassVar[ErrorReason]
    ERROR_REASON_COMMIT_IN_DOUBT: _ClassVar[ErrorReason]
    ERROR_REASON_CHANGE_UNCONFIRMED: _ClassVar[ErrorReason]
    ERROR_REASON_DEADLINE_TOO_SHORT: _ClassVar[ErrorReason]
    ERROR_REASON_OVERLOADED: _ClassVar[ErrorReason]
    ERROR_REASON_INTERNAL: _ClassVar[ErrorReason]
    ERROR_REASON_REPLICA_TOO_OLD: _ClassVar[ErrorReason]
    ERROR_REASON_TOKEN_REFUSED: _ClassVar[ErrorReason]
    ERROR_REASON_METADATA_LIMIT: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_FIELD_INVALID: ErrorReason
ERROR_REASON_PAGE_TOKEN_INVALID: ErrorReason
ERROR_REASON_REQUEST_ID_REUSED: ErrorReason
ERROR_REASON_REQUEST_ID_EXPIRED: ErrorReason
ERROR_REASON_TOKEN_NOT_FOUND: ErrorReason
ERROR_REASON_TOKEN_NOT_ACTIVE: ErrorReason
ERROR_REASON_ETAG_MISMATCH: ErrorReason
ERROR_REASON_ACTIVE_TOKEN_LIMIT: ErrorReason
ERROR_REASON_CALLER_UNAUTHENTICATED: ErrorReason
ERROR_REASON_ROLE_MISSING: ErrorReason
ERROR_REASON_LEASE_NOT_HELD: ErrorReason
ERROR_REASON_DATABASE_UNAVAILABLE: ErrorReason
ERROR_REASON_COMMIT_IN_DOUBT: ErrorReason
ERROR_REASON_CHANGE_UNCONFIRMED: ErrorReason
ERROR_REASON_DEADLINE_TOO_SHORT: ErrorReason
ERROR_REASON_OVERLOADED: ErrorReason
ERROR_REASON_INTERNAL: ErrorReason
ERROR_REASON_REPLICA_TOO_OLD: ErrorReason
ERROR_REASON_TOKEN_REFUSED: ErrorReason
ERROR_REASON_METADATA_LIMIT: ErrorReason
