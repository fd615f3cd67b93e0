"""What gRPC's library (1.51) does otherwise than h2spec asks for.

By what it does instead. None of it lets a caller say something in another
one's name: a connection has one caller, and a malformed request is at worst
answered, mostly with an error, to whoever has sent it.
"""

_TAKES_NO_NOTICE = {
    "http2/5.1 idle: Sends a DATA frame",
    "http2/5.1 idle: Sends a RST_STREAM frame",
    "http2/5.1 idle: Sends a WINDOW_UPDATE frame",
    "http2/5.1 half closed (remote): Sends a DATA frame",
    "http2/5.1 closed: Sends a DATA frame after sending RST_STREAM frame",
    "http2/5.1 closed: Sends a DATA frame",
    "http2/5.1.1 Sends even-numbered stream identifier",
    "http2/5.3.1 Sends PRIORITY frame that depend on itself",
    "http2/5.4.1 Sends an invalid PING frame for connection close",
    "http2/5.4.1 Sends an invalid PING frame to receive GOAWAY frame",
    "http2/6.1 Sends a DATA frame with 0x0 stream identifier",
    'http2/6.1 Sends a DATA frame on the stream that is not in "open" or '
    '"half-closed (local)" state',
    "http2/6.1 Sends a DATA frame with invalid pad length",
    "http2/6.2 Sends a HEADERS frame with 0x0 stream identifier",
    "http2/6.3 Sends a PRIORITY frame with 0x0 stream identifier",
    "http2/6.4 Sends a RST_STREAM frame with 0x0 stream identifier",
    "http2/6.4 Sends a RST_STREAM frame on a idle stream",
    "http2/6.7 Sends a PING frame with a stream identifier field value other "
    "than 0x0",
    "http2/6.8 Sends a GOAWAY frame with a stream identifier other than 0x0",
    "http2/6.9.1 Sends multiple WINDOW_UPDATE frames increasing the flow "
    "control window to above 2^31-1",
    "http2/8.2 Sends a PUSH_PROMISE frame",
}
_ANSWERS_IT = {
    "http2/5.1 half closed (remote): Sends a HEADERS frame",
    "http2/5.1 closed: Sends a HEADERS frame after sending RST_STREAM frame",
    "http2/5.3.1 Sends HEADERS frame that depend on itself",
    "http2/6.2 Sends a HEADERS frame with invalid pad length",
    "http2/6.3 Sends a PRIORITY frame with a length other than 5 octets",
    "http2/8.1.2 Sends a HEADERS frame that contains the header field name in "
    "uppercase letters",
    "http2/8.1.2.1 Sends a HEADERS frame that contains a unknown "
    "pseudo-header field",
    "http2/8.1.2.1 Sends a HEADERS frame that contains the pseudo-header field "
    "defined for response",
    "http2/8.1.2.1 Sends a HEADERS frame that contains a pseudo-header field "
    "that appears in a header block after a regular header field",
    "http2/8.1.2.2 Sends a HEADERS frame that contains the "
    "connection-specific header field",
    "http2/8.1.2.2 Sends a HEADERS frame that contains the TE header field "
    'with any value other than "trailers"',
    'http2/8.1.2.3 Sends a HEADERS frame with empty ":path" pseudo-header '
    "field",
    *(
        f'http2/8.1.2.3 Sends a HEADERS frame {what} ":{name}" pseudo-header '
        "field"
        for what in ("that omits", "with duplicated")
        for name in ("method", "scheme", "path")
    ),
    'http2/8.1.2.6 Sends a HEADERS frame with the "content-length" header '
    "field which does not equal the DATA frame payload length",
    'http2/8.1.2.6 Sends a HEADERS frame with the "content-length" header '
    "field which does not equal the sum of the multiple DATA frames payload "
    "length",
}
_ENDS_THE_STREAM_ONLY = {
    "http2/5.1 closed: Sends a HEADERS frame",
    "http2/5.1.1 Sends stream identifier that is numerically smaller than "
    "previous",
    "hpack/5.2 Sends a Huffman-encoded string literal representation with "
    "padding longer than 7 bits",
    "hpack/5.2 Sends a Huffman-encoded string literal representation padded "
    "by zero",
}
DEVIATIONS = {
    "takes no notice": _TAKES_NO_NOTICE,
    "answers it": _ANSWERS_IT,
    "ends the stream, and not the connection": _ENDS_THE_STREAM_ONLY,
    "ends the stream, with another error": {
        "http2/6.9.1 Sends multiple WINDOW_UPDATE frames increasing the flow "
        "control window to above 2^31-1 on a stream",
    },
    "ends the connection": {
        "http2/4.1 Sends a frame with undefined flag",
        "http2/4.1 Sends a frame with reserved field bit",
    },
    # h2spec asks for one, and what gRPC says of an unknown path has none.
    "answers without a body": {
        "generic/2 Sends a WINDOW_UPDATE frame on half-closed (remote) stream",
        "generic/2 Sends a PRIORITY frame on half-closed (remote) stream",
        "http2/6.5.3 Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE",
        "http2/6.9.1 Sends SETTINGS frame to set the initial window size to 1 "
        "and sends HEADERS frame",
        "http2/6.9.2 Changes SETTINGS_INITIAL_WINDOW_SIZE after sending "
        "HEADERS frame",
        "http2/6.9.2 Sends a SETTINGS frame for window size to be negative",
    },
}
EXPECTED = set().union(*DEVIATIONS.values())

# Passed or not, by what comes first: the answer, or the error that h2spec asks
# for.
UNSTEADY = {
    "http2/4.2 Sends a large size DATA frame that exceeds the "
    "SETTINGS_MAX_FRAME_SIZE",
    "http2/5.1.2 Sends HEADERS frames that causes their advertised concurrent "
    "stream limit to be exceeded",
    "http2/6.9 Sends a WINDOW_UPDATE frame with a flow control window "
    "increment of 0 on a stream",
    "http2/8.1 Sends a second HEADERS frame without the END_STREAM flag",
    "http2/8.1.2.1 Sends a HEADERS frame that contains a pseudo-header field "
    "as trailers",
}
