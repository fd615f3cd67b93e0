// What QueueServer's queues know of calls: who is told that something is done.
#ifndef WEMASY_SERVER_API_GRPC_QUEUED_CALLS_H_
#define WEMASY_SERVER_API_GRPC_QUEUED_CALLS_H_

namespace wemasy::tokens {

// What a queue's tags point to.
class QueueTag {
 public:
  virtual ~QueueTag() = default;
  // What was begun with this tag is done, or (not `ok`) will never be. For the
  // queue's thread.
  virtual void OnDone(bool ok) = 0;
};

// The calls of one rpc on one queue. For the queue's thread.
class QueuedCalls {
 public:
  virtual ~QueuedCalls() = default;
  // Stands ready for calls.
  virtual void Begin() = 0;
  // Whether no call is left, nor will come: the server was shut down.
  virtual bool empty() const = 0;
};

}  // namespace wemasy::tokens

#endif  // WEMASY_SERVER_API_GRPC_QUEUED_CALLS_H_
