import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TokenState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TOKEN_STATE_UNSPECIFIED: _ClassVar[TokenState]
    TOKEN_STATE_ACTIVE: _ClassVar[TokenState]
    TOKEN_STATE_EXPIRED: _ClassVar[TokenState]
    TOKEN_STATE_REVOKED: _ClassVar[TokenState]

class RevokeReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REVOKE_REASON_UNSPECIFIED: _ClassVar[RevokeReason]
    REVOKE_REASON_UNUSED: _ClassVar[RevokeReason]
    REVOKE_REASON_SUPERSEDED: _ClassVar[RevokeReason]
    REVOKE_REASON_COMPROMISED: _ClassVar[RevokeReason]
    REVOKE_REASON_LEAK_REPORTED: _ClassVar[RevokeReason]
    REVOKE_REASON_OFFBOARDED: _ClassVar[RevokeReason]
    REVOKE_REASON_OTHER: _ClassVar[RevokeReason]
TOKEN_STATE_UNSPECIFIED: TokenState
TOKEN_STATE_ACTIVE: TokenState
TOKEN_STATE_EXPIRED: TokenState
TOKEN_STATE_REVOKED: TokenState
REVOKE_REASON_UNSPECIFIED: RevokeReason
REVOKE_REASON_UNUSED: RevokeReason
REVOKE_REASON_SUPERSEDED: RevokeReason
REVOKE_REASON_COMPROMISED: RevokeReason
REVOKE_REASON_LEAK_REPORTED: RevokeReason
REVOKE_REASON_OFFBOARDED: RevokeReason
REVOKE_REASON_OTHER: RevokeReason

class Token(_message.Message):
    __slots__ = ("name", "display_name", "description", "state", "scopes", "metadata", "create_time", "creator", "expire_time", "last_used_time", "old_secret_last_used_time", "old_secret_expire_time", "revoke_time", "revoker", "revoke_reason", "revoke_comment", "hint", "etag")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_USED_TIME_FIELD_NUMBER: _ClassVar[int]
    OLD_SECRET_LAST_USED_TIME_FIELD_NUMBER: _ClassVar[int]
    OLD_SECRET_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVOKE_TIME_FIELD_NUMBER: _ClassVar[int]
    REVOKER_FIELD_NUMBER: _ClassVar[int]
    REVOKE_REASON_FIELD_NUMBER: _ClassVar[int]
    REVOKE_COMMENT_FIELD_NUMBER: _ClassVar[int]
    HINT_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    description: str
    state: TokenState
    scopes: _containers.RepeatedScalarFieldContainer[str]
    metadata: _containers.ScalarMap[str, str]
    create_time: _timestamp_pb2.Timestamp
    creator: str
    expire_time: _timestamp_pb2.Timestamp
    last_used_time: _timestamp_pb2.Timestamp
    old_secret_last_used_time: _timestamp_pb2.Timestamp
    old_secret_expire_time: _timestamp_pb2.Timestamp
    revoke_time: _timestamp_pb2.Timestamp
    revoker: str
    revoke_reason: RevokeReason
    revoke_comment: str
    hint: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., state: _Optional[_Union[TokenState, str]] = ..., scopes: _Optional[_Iterable[str]] = ..., metadata: _Optional[_Mapping[str, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., creator: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_used_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., old_secret_last_used_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., old_secret_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revoke_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., revoker: _Optional[str] = ..., revoke_reason: _Optional[_Union[RevokeReason, str]] = ..., revoke_comment: _Optional[str] = ..., hint: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class RevocationReceipt(_message.Message):
    __slots__ = ("confirm_time", "change_number", "acknowledged_replicas", "gone_replicas", "expired_replicas")
    CONFIRM_TIME_FIELD_NUMBER: _ClassVar[int]
    CHANGE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_REPLICAS_FIELD_NUMBER: _ClassVar[int]
    GONE_REPLICAS_FIELD_NUMBER: _ClassVar[int]
    EXPIRED_REPLICAS_FIELD_NUMBER: _ClassVar[int]
    confirm_time: _timestamp_pb2.Timestamp
    change_number: int
    acknowledged_replicas: int
    gone_replicas: int
    expired_replicas: int
    def __init__(self, confirm_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., change_number: _Optional[int] = ..., acknowledged_replicas: _Optional[int] = ..., gone_replicas: _Optional[int] = ..., expired_replicas: _Optional[int] = ...) -> None: ...
