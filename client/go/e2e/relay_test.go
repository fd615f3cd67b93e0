package e2e

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
)

// relay stands between a client and the server.
type relay struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	conns []net.Conn
	// Whether to cut the connection in place of the next reply.
	loseReply bool
}

// newRelay relays to target until the test ends.
func newRelay(t *testing.T, target string) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: listener, target: target}
	t.Cleanup(r.stop)
	go r.serve()
	return r
}

func (r *relay) address() string { return r.listener.Addr().String() }

// stop cuts all connections and takes no more.
func (r *relay) stop() {
	_ = r.listener.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.conns {
		_ = conn.Close()
	}
}

func (r *relay) loseNextReply() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loseReply = true
}

// losesReply says, once, that the reply at hand is to be lost.
func (r *relay) losesReply() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	loses := r.loseReply
	r.loseReply = false
	return loses
}

func (r *relay) serve() {
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", r.target)
		if err != nil {
			_ = client.Close()
			continue
		}
		r.mu.Lock()
		r.conns = append(r.conns, client, server)
		r.mu.Unlock()
		go func() {
			_, _ = io.Copy(server, client)
			_ = server.Close()
		}()
		go func() {
			r.copyFrames(client, server)
			_ = client.Close()
			_ = server.Close()
		}()
	}
}

// copyFrames copies HTTP/2 frames from the server until a connection ends, or a
// reply is to be lost.
func (r *relay) copyFrames(client io.Writer, server io.Reader) {
	const headerSize, typeOfHeaders = 9, 1
	for {
		var header [headerSize]byte
		if _, err := io.ReadFull(server, header[:]); err != nil {
			return
		}
		if header[3] == typeOfHeaders && r.losesReply() {
			return
		}
		length := int64(binary.BigEndian.Uint32(header[:4]) >> 8)
		if _, err := client.Write(header[:]); err != nil {
			return
		}
		if _, err := io.CopyN(client, server, length); err != nil {
			return
		}
	}
}
