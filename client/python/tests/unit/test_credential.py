"""Which token a request presents: RFC 6750, section 2.1."""

import http

import pytest

from wemasy_tokens._authorize import Field, RefusedError, presented_token

TOKEN_HEADERS = {"x-api-key"}
Fields = list[Field]


@pytest.mark.parametrize(
    ("fields", "token"),
    [
        pytest.param([("authorization", "Bearer abc")], "abc", id="bearer"),
        pytest.param([("AuthoriZation", "bEARER abc")], "abc", id="any_case"),
        pytest.param([(b"authorization", b"Bearer abc")], "abc", id="bytes"),
        pytest.param([("authorization", "Bearer   abc")], "abc", id="spaces"),
        pytest.param([("X-Api-Key", "abc")], "abc", id="key"),
        pytest.param(
            [("authorization", "Basic abc"), ("x-api-key", "k")],
            "k",
            id="another_scheme_and_a_key",
        ),
        pytest.param(
            [(b"authorization", b"Bearer \xff")], "\udcff", id="not_utf_8"
        ),
    ],
)
def test_one_token_is_found(fields: Fields, token: str) -> None:
    assert presented_token(fields, TOKEN_HEADERS) == token


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([], id="nothing"),
        pytest.param([("cookie", "a=b"), ("host", "h")], id="other_headers"),
        pytest.param([("authorization", "Basic abc")], id="another_scheme"),
        pytest.param([("authorization", "Bearers abc")], id="a_longer_scheme"),
        pytest.param([("authorization", "Bearer\tabc")], id="a_tab_after_it"),
        pytest.param([("authorization", "")], id="empty"),
        pytest.param([("x-other-key", "abc")], id="a_header_not_named"),
    ],
)
def test_no_credential_is_unauthorized(fields: Fields) -> None:
    with pytest.raises(RefusedError) as raised:
        presented_token(fields, TOKEN_HEADERS)
    refusal = raised.value.refusal
    assert refusal.status is http.HTTPStatus.UNAUTHORIZED
    assert refusal.challenge == 'Bearer realm="wemasy"'


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([("authorization", "Bearer")], id="no_token"),
        pytest.param([("authorization", "Bearer ")], id="empty_token"),
        pytest.param([("x-api-key", "")], id="empty_key"),
        pytest.param([("authorization", "Bearer abc ")], id="trailing_space"),
        pytest.param([("authorization", "Bearer a\tb")], id="tab"),
        pytest.param([("authorization", "Bearer a,Bearer b")], id="joined"),
        pytest.param(
            [("authorization", "Basic a, Bearer b")],
            id="joined_with_another_scheme",
        ),
        pytest.param(
            [("authorization", "Bearer a"), ("Authorization", "Bearer a")],
            id="apart",
        ),
        pytest.param([("x-api-key", "a,b")], id="joined_keys"),
        pytest.param([("x-api-key", "a"), ("x-api-key", "a")], id="keys"),
        pytest.param(
            [("authorization", "Bearer a"), ("x-api-key", "a")], id="both"
        ),
    ],
)
def test_what_is_not_one_token_is_a_bad_request(fields: Fields) -> None:
    with pytest.raises(RefusedError) as raised:
        presented_token(fields, TOKEN_HEADERS)
    refusal = raised.value.refusal
    assert refusal.status is http.HTTPStatus.BAD_REQUEST
    assert refusal.challenge == 'Bearer realm="wemasy", error="invalid_request"'
    assert refusal.body == b'{"error":"more than one credential"}\n'
