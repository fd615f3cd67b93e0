#include "tests/bench/h2_connection.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace wemasy::tokens {
namespace {

// What a client accepts before it says more: as much as there is, so that no
// call waits for a window, and none is spent on telling of one.
constexpr int32_t kWindow = (1 << 30) - 1;

int Connect(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) Die("no port in " + address);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(address.substr(0, colon).c_str(),
                  address.substr(colon + 1).c_str(), &hints, &found);
  if (error != 0) Die(address + ": " + gai_strerror(error));
  const int socket = ::socket(found->ai_family, SOCK_STREAM, 0);
  if (socket < 0 || connect(socket, found->ai_addr, found->ai_addrlen) != 0) {
    Die("no connection to " + address + ": " + std::strerror(errno));
  }
  freeaddrinfo(found);
  const int on = 1;
  if (setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
    Die(std::string("TCP_NODELAY: ") + std::strerror(errno));
  }
  return socket;
}

nghttp2_nv Header(std::string_view name, std::string_view value) {
  // nghttp2 copies both, and takes them as not const.
  const auto bytes = [](std::string_view text) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

std::string_view View(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Of an nghttp2 call that returns its error.
void Check(int64_t result, const char* what) {
  if (result < 0) {
    Die(std::string(what) + ": " + nghttp2_strerror(static_cast<int>(result)));
  }
}

}  // namespace

void Die(const std::string& message) {
  std::fprintf(stderr, "open_loop: %s\n", message.c_str());
  std::_Exit(1);
}

struct H2Connection::Stream {
  int64_t number = 0;
  const std::string& message;
  size_t sent = 0;
  bool ok = false;
};

struct H2Connection::Callbacks {
  static ssize_t Read(nghttp2_session*, int32_t, uint8_t* into, size_t room,
                      uint32_t* flags, nghttp2_data_source* source, void*) {
    Stream* const stream = static_cast<Stream*>(source->ptr);
    const std::string& message = stream->message;
    const size_t count = std::min(room, message.size() - stream->sent);
    std::copy_n(message.data() + stream->sent, count, into);
    stream->sent += count;
    if (stream->sent == message.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame,
                      const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void*) {
    if (View(name, name_size) != "grpc-status") return 0;
    if (View(value, value_size) != "0") {
      Die("a call ended with status " + std::string(View(value, value_size)));
    }
    void* const data =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    static_cast<Stream*>(data)->ok = true;
    return 0;
  }

  static int OnClose(nghttp2_session* session, int32_t id, uint32_t,
                     void* self) {
    const std::unique_ptr<Stream> stream(static_cast<Stream*>(
        nghttp2_session_get_stream_user_data(session, id)));
    if (!stream->ok) Die("a call ended without a status");
    static_cast<H2Connection*>(self)->on_answer_(stream->number);
    return 0;
  }
};

H2Connection::H2Connection(const std::string& address, const std::string& path,
                           OnAnswer on_answer)
    : authority_(address),
      path_(path),
      on_answer_(std::move(on_answer)),
      socket_(Connect(address)),
      session_(nullptr, &nghttp2_session_del) {
  nghttp2_session_callbacks* callbacks = nullptr;
  Check(nghttp2_session_callbacks_new(&callbacks), "callbacks");
  nghttp2_session_callbacks_set_on_header_callback(callbacks,
                                                   &Callbacks::OnHeader);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
                                                         &Callbacks::OnClose);
  nghttp2_session* session = nullptr;
  Check(nghttp2_session_client_new(&session, callbacks, this), "session");
  nghttp2_session_callbacks_del(callbacks);
  session_.reset(session);
  Check(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0),
        "settings");
  Check(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                              kWindow),
        "window");
  Flush();
}

H2Connection::~H2Connection() { close(socket_); }

void H2Connection::Call(int64_t number, const std::string& message) {
  auto stream = std::make_unique<Stream>(Stream{number, message});
  const std::array<nghttp2_nv, 7> headers = {
      Header(":method", "POST"),    Header(":scheme", "http"),
      Header(":path", path_),       Header(":authority", authority_),
      Header("te", "trailers"),     Header("content-type", "application/grpc"),
      Header("grpc-timeout", "10S")};
  nghttp2_data_provider body = {};
  body.source.ptr = stream.get();
  body.read_callback = &Callbacks::Read;
  Check(nghttp2_submit_request(session_.get(), nullptr, headers.data(),
                               headers.size(), &body, stream.get()),
        "request");
  static_cast<void>(stream.release());  // OnClose deletes it.
  Flush();
}

void H2Connection::Receive() {
  std::array<uint8_t, 65536> buffer;
  const ssize_t count =
      recv(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) Die("the server closed a connection");
  Check(nghttp2_session_mem_recv(session_.get(), buffer.data(),
                                 static_cast<size_t>(count)),
        "received");
  // Acknowledgements, of pings too.
  Flush();
}

void H2Connection::Flush() {
  std::string pending;
  while (true) {
    const uint8_t* data = nullptr;
    const ssize_t count = nghttp2_session_mem_send(session_.get(), &data);
    Check(count, "send");
    if (count == 0) break;
    pending += View(data, static_cast<size_t>(count));
  }
  // Waits while the socket is full, which counts as lateness.
  for (size_t at = 0; at < pending.size();) {
    const ssize_t count =
        send(socket_, pending.data() + at, pending.size() - at, MSG_NOSIGNAL);
    if (count < 0) Die(std::string("send: ") + std::strerror(errno));
    at += static_cast<size_t>(count);
  }
}

}  // namespace wemasy::tokens
