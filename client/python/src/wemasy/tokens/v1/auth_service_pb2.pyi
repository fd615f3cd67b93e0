import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_MALFORMED: _ClassVar[Verdict]
    VERDICT_UNKNOWN: _ClassVar[Verdict]
    VERDICT_REVOKED: _ClassVar[Verdict]
    VERDICT_EXPIRED: _ClassVar[Verdict]
    VERDICT_WRONG_PROJECT: _ClassVar[Verdict]
    VERDICT_INSUFFICIENT_SCOPE: _ClassVar[Verdict]
    VERDICT_VALID: _ClassVar[Verdict]
VERDICT_UNSPECIFIED: Verdict
VERDICT_MALFORMED: Verdict
VERDICT_UNKNOWN: Verdict
VERDICT_REVOKED: Verdict
VERDICT_EXPIRED: Verdict
VERDICT_WRONG_PROJECT: Verdict
VERDICT_INSUFFICIENT_SCOPE: Verdict
VERDICT_VALID: Verdict

class ValidateRequest(_message.Message):
    __slots__ = ("token", "required_scopes", "expected_project", "report_freshness", "watch_stream_number")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_SCOPES_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_PROJECT_FIELD_NUMBER: _ClassVar[int]
    REPORT_FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    WATCH_STREAM_NUMBER_FIELD_NUMBER: _ClassVar[int]
    token: str
    required_scopes: _containers.RepeatedScalarFieldContainer[str]
    expected_project: str
    report_freshness: bool
    watch_stream_number: int
    def __init__(self, token: _Optional[str] = ..., required_scopes: _Optional[_Iterable[str]] = ..., expected_project: _Optional[str] = ..., report_freshness: bool = ..., watch_stream_number: _Optional[int] = ...) -> None: ...

class ValidateResponse(_message.Message):
    __slots__ = ("verdict", "token", "project", "creator", "scopes", "metadata", "expire_time", "freshness")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    CREATOR_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    verdict: Verdict
    token: str
    project: str
    creator: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    metadata: _containers.ScalarMap[str, str]
    expire_time: _timestamp_pb2.Timestamp
    freshness: AnswerFreshness
    def __init__(self, verdict: _Optional[_Union[Verdict, str]] = ..., token: _Optional[str] = ..., project: _Optional[str] = ..., creator: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., metadata: _Optional[_Mapping[str, str]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., freshness: _Optional[_Union[AnswerFreshness, _Mapping]] = ...) -> None: ...

class AnswerFreshness(_message.Message):
    __slots__ = ("incarnation", "timeline", "change_number", "time_left", "watch_stream_number")
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    TIMELINE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIME_LEFT_FIELD_NUMBER: _ClassVar[int]
    WATCH_STREAM_NUMBER_FIELD_NUMBER: _ClassVar[int]
    incarnation: str
    timeline: str
    change_number: int
    time_left: _duration_pb2.Duration
    watch_stream_number: int
    def __init__(self, incarnation: _Optional[str] = ..., timeline: _Optional[str] = ..., change_number: _Optional[int] = ..., time_left: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., watch_stream_number: _Optional[int] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("ping_number", "acknowledged_change_number", "only_validated")
    PING_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_CHANGE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ONLY_VALIDATED_FIELD_NUMBER: _ClassVar[int]
    ping_number: int
    acknowledged_change_number: int
    only_validated: bool
    def __init__(self, ping_number: _Optional[int] = ..., acknowledged_change_number: _Optional[int] = ..., only_validated: bool = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ("hello", "changes", "grant")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    GRANT_FIELD_NUMBER: _ClassVar[int]
    hello: WatchHello
    changes: WatchChanges
    grant: WatchGrant
    def __init__(self, hello: _Optional[_Union[WatchHello, _Mapping]] = ..., changes: _Optional[_Union[WatchChanges, _Mapping]] = ..., grant: _Optional[_Union[WatchGrant, _Mapping]] = ...) -> None: ...

class WatchHello(_message.Message):
    __slots__ = ("incarnation", "timeline", "change_number", "stream_number")
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    TIMELINE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    STREAM_NUMBER_FIELD_NUMBER: _ClassVar[int]
    incarnation: str
    timeline: str
    change_number: int
    stream_number: int
    def __init__(self, incarnation: _Optional[str] = ..., timeline: _Optional[str] = ..., change_number: _Optional[int] = ..., stream_number: _Optional[int] = ...) -> None: ...

class WatchChanges(_message.Message):
    __slots__ = ("changes",)
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[WatchChange]
    def __init__(self, changes: _Optional[_Iterable[_Union[WatchChange, _Mapping]]] = ...) -> None: ...

class WatchChange(_message.Message):
    __slots__ = ("change_number", "token", "is_live", "previous_change_number")
    CHANGE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    IS_LIVE_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_CHANGE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    change_number: int
    token: str
    is_live: bool
    previous_change_number: int
    def __init__(self, change_number: _Optional[int] = ..., token: _Optional[str] = ..., is_live: bool = ..., previous_change_number: _Optional[int] = ...) -> None: ...

class WatchGrant(_message.Message):
    __slots__ = ("ping_number", "ttl", "change_number")
    PING_NUMBER_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    CHANGE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ping_number: int
    ttl: _duration_pb2.Duration
    change_number: int
    def __init__(self, ping_number: _Optional[int] = ..., ttl: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., change_number: _Optional[int] = ...) -> None: ...
