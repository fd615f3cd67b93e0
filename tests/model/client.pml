/*
 * One caching client, its stream to one of two replicas, a call in flight to
 * either, and one change. What replicas do among themselves is in replica.pml;
 * their steps are coarser here where that takes nothing away.
 *
 * The property: once the change has returned, no Validate invoked afterwards
 * gives the answer of before, from the client's cache or from a replica. It is
 * the same for VALID after a revocation and for UNKNOWN after a creation.
 *
 * Time is as in replica.pml: clocks are ticks left, or ticks since.
 */

#ifndef TTL
#define TTL 2
#endif
/* The longest grant. */
#ifndef GRANT_TTL
#define GRANT_TTL 1
#endif
#define REPLICAS 2
/* How many streams the client opens, one after another. */
#define MAX_SESSIONS 2
#ifndef SESSIONS
#define SESSIONS MAX_SESSIONS
#endif
/* What there is beside replica 0: 0, nothing; 1, a replica that was cut off a
 * moment ago and has only its lease; 2, one like replica 0. */
#ifndef SECOND
#define SECOND 0
#endif
/* Whether replica 0 may drain. */
#ifndef DRAIN
#define DRAIN 0
#endif
/* Whether the first stream may go to either replica. */
#ifndef ANYWHERE
#define ANYWHERE 0
#endif

/* Mutants: -DMUTANT=name. The runner reads this list. */
#define ack_ignores_grants 1           /* a replica acknowledges what its client has not */
#define broken_stream_forgotten 2      /* a grant ends, for the replica, with its stream */
#define stale_reply_cached 3           /* a reply older than the stream's events is cached */
#define seq_after_lookup 4             /* a reply's seq is read after the look-up */
#define fill_in_two_steps 5            /* fresh when checked, not when inserted */
#define hello_before_join 6            /* Hello's seq is read before the stream joins the hub */
#define client_lease_from_receipt 7    /* the client's lease counts from the Grant, not from the Ping */
#define no_flush_on_break 8            /* the cache outlives its stream */
#define shares_earlier_call 9          /* a miss takes the answer of a call that began before it */
#define lease_not_nested 10            /* a grant may outlast the replica's own lease */
#define lease_of_other_stream 11       /* [second] the lease of one stream covers an entry of the next one's cache */
#define lease_survives_stream 12       /* [second] the lease outlives its stream */
#define drain_ignores_grants 13        /* [drain] a drained replica takes its row away while grants run */
#define noted_though_older 14          /* a reply from before a change is noted after it */
#define not_noted_cached 15            /* a reply is cached though its stream does not tell of the token */
#ifndef MUTANT
#define MUTANT 0
#endif

/* Points that a search must reach: -DREACH=name turns one into an error. */
#define returns_by_acknowledgement 1
#define returns_by_lease_expiry 2
#define returns_by_drain 3 /* [drain] */
#define hit 4
#define hit_under_second_session 5 /* [second] */
#define call_answers_before 6
#define acknowledged_by_client 7
#define reply_refused 8
#define shared_answer 9
#define not_told 10
#define not_noted 11
#ifndef REACH
#define REACH 0
#endif
#define REACHED(point) assert(REACH != point)

#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define MIN(a, b) ((a) < (b) -> (a) : (b))
#define NONE 255

/* The database. The change is number 1. */
bit head;
bool row[REPLICAS];
bit acked[REPLICAS];
bool returned;

/* The replicas. */
bit applied[REPLICAS];
byte lease[REPLICAS];
byte t0[REPLICAS];
bool draining;           /* replica 0: no new streams, no new grants */
bool closed;

/* The streams, one for each session, as the replica has them. */
byte at[MAX_SESSIONS];       /* which replica */
bool wanted[MAX_SESSIONS];   /* asked for, not yet joined */
bool joined[MAX_SESSIONS];
bit queued[MAX_SESSIONS];    /* the last seq that the stream has seen */
bit told[MAX_SESSIONS];      /* the last seq in the queue */
bool noted[MAX_SESSIONS];    /* the client may keep an answer about the token */
bit confirmed[MAX_SESSIONS]; /* the last seq that the client acknowledged */
byte grant[MAX_SESSIONS];    /* ticks until the last grant has expired */
bool ping[MAX_SESSIONS];     /* on its way to the replica */
mtype = { HELLO, EVENT, GRANT };
chan queue[MAX_SESSIONS] = [3] of { mtype, bit, byte };

/* The client. A session is an object: whoever holds it may use it after its
 * stream has ended. An entry with the answer of after harms nobody, so only
 * one with the answer of before is kept. */
byte current = NONE;
byte sessions;           /* begun so far */
bool greeted[MAX_SESSIONS];
bit known[MAX_SESSIONS];     /* the client's applied */
byte vouched[MAX_SESSIONS];  /* ticks left of the client's lease */
bool entry[MAX_SESSIONS];
byte c0;                 /* ticks since the Ping without an answer was sent */
bool pinged;

/* The calls. */
byte captured;           /* the client lease of a look-up in the cache */
bool in_flight;
bool waiting;            /* the look-up missed and waits for that call */
byte c1;

inline left(timer) { timer = (timer > 0 -> timer - 1 : 0) }
inline since(timer) { timer = (timer < TTL -> timer + 1 : TTL) }

proctype Clock() {
  do
  :: d_step {
       left(lease[0]);
       left(lease[1]);
       since(t0[0]);
       since(t0[1]);
       left(grant[0]);
       left(grant[1]);
       left(vouched[0]);
       left(vouched[1]);
       left(captured);
       since(c0);
       since(c1)
     }
  od
}

/* Rule 6. */
#define HOLDS_UP(s, r) \
  (at[s] == r && grant[s] > 0 && !confirmed[s] && \
   (joined[s] || MUTANT != broken_stream_forgotten))
#define MAY_ACK(r) \
  (applied[r] && (MUTANT == ack_ignores_grants || \
                  !(HOLDS_UP(0, r) || HOLDS_UP(1, r))))

inline notify(s, r) {
  if
  :: at[s] == r && joined[s] && !queued[s] ->
     if
     :: noted[s] ->
        told[s] = 1;
        if
        :: s == current -> queue[s]!EVENT(1, 0)
        :: else
        fi
     /* There is nothing to acknowledge. */
     :: else ->
        REACHED(not_told);
        confirmed[s] = 1
     fi;
     queued[s] = 1
  :: else
  fi
}

/* Rule 3, in two steps: what passes before the statement runs shortens the
 * lease, and so does what passes before the answer is handled. */
proctype Replica(bit r) {
  bit target;
  do
  :: d_step {
       row[r] ->
       t0[r] = 0;
       target = head;
       if
       :: MAY_ACK(r) ->
          if
          :: !acked[r] && confirmed[0] && at[0] == r && grant[0] > 0 ->
             REACHED(acknowledged_by_client)
          :: else
          fi;
          acked[r] = 1
       :: else
       fi
     }
     if
     :: d_step {
          if
          :: target && !applied[r] ->
             applied[r] = 1;
             notify(0, r);
             notify(1, r)
          :: else
          fi;
          if
          :: r == 0 && closed
          :: else -> lease[r] = MAX(lease[r], TTL - t0[r])
          fi;
          t0[r] = TTL;
          target = 0
        }
     :: d_step { t0[r] = TTL; target = 0 }
     fi
  od
}

inline join() {
  if
  :: wanted[s] && !(at[s] == 0 && draining) ->
     joined[s] = true;
     queued[s] = seq;
     told[s] = seq;
     confirmed[s] = seq;
     queue[s]!HELLO(seq, 0)
  :: else
  fi;
  wanted[s] = false;
  s = 0;
  seq = 0
}

/* Rule 5: the streams, as the replicas serve them. */
proctype Hub() {
  byte s;
  byte ttl;
  bit seq;
  do
  /* Joining and queueing Hello are one step. */
  :: d_step {
       if
       :: wanted[0] -> s = 0
       :: wanted[1] -> s = 1
       fi;
       seq = applied[at[s]];
       if
       :: MUTANT != hello_before_join -> join()
       :: else
       fi
     }
     if
     :: MUTANT == hello_before_join -> d_step { join() }
     :: else
     fi
  :: d_step {
       if
       :: ping[0] -> s = 0
       :: ping[1] -> s = 1
       fi;
       ping[s] = false;
       ttl = MIN(GRANT_TTL, lease[at[s]]);
       if
       :: MUTANT == lease_not_nested -> ttl = GRANT_TTL
       :: else
       fi;
       if
       :: joined[s] && ttl > 0 && !(at[s] == 0 && draining) ->
          grant[s] = MAX(grant[s], ttl);
          queue[s]!GRANT(told[s], ttl)
       :: s == current -> pinged = false; c0 = TTL
       :: else
       fi;
       s = 0;
       ttl = 0
     }
  /* A stream breaks. The client will see, some time. */
  :: joined[0] -> joined[0] = false
  :: joined[1] -> joined[1] = false
  od
}

/* Rule 13, at replica 0. */
proctype Drain() {
  d_step {
    draining = true;
    if
    :: at[0] == 0 -> joined[0] = false
    :: else
    fi;
    if
    :: at[1] == 0 -> joined[1] = false
    :: else
    fi
  }
  d_step {
    closed = true;
    lease[0] = 0
  }
  d_step {
    MUTANT == drain_ignores_grants ||
      !(at[0] == 0 && grant[0] > 0 || at[1] == 0 && grant[1] > 0) ->
    row[0] = false
  }
}

/* Rule 9. */
proctype Mutator() {
  d_step { head = 1; c1 = 0 }
  if
  :: d_step {
       (!row[0] || acked[0]) && (!row[1] || acked[1]) ->
       if
       :: acked[0] -> REACHED(returns_by_acknowledgement)
       :: else -> REACHED(returns_by_drain)
       fi
     }
  :: d_step { c1 >= TTL -> REACHED(returns_by_lease_expiry) }
  fi;
  d_step { returned = true; c1 = TTL }
}

/* The stream is over for the client. Whoever has captured the session keeps
 * it; the rest of it is of no use to anybody. */
inline end_session() {
  do
  :: nempty(queue[s]) -> queue[s]?_, _, _
  :: empty(queue[s]) -> break
  od;
  current = NONE;
  greeted[s] = false;
  known[s] = 0;
  vouched[s] = (MUTANT == lease_survives_stream -> vouched[s] : 0);
  ping[s] = false;
  wanted[s] = false;
  pinged = false;
  c0 = TTL
}

/* Rule 7: the client's side of the stream. */
proctype Session() {
  byte s;
  bit seq;
  byte ttl;
  do
  :: atomic {
       current == NONE && sessions < SESSIONS ->
       s = sessions;
       if
       :: at[s] = 0
       :: SECOND && (s > 0 || ANYWHERE) -> at[s] = 1
       fi;
       sessions++;
       wanted[s] = true;
       if
       :: s > 0 && MUTANT == no_flush_on_break -> entry[s] = entry[s - 1]
       :: s > 0 && MUTANT == lease_survives_stream -> vouched[s] = vouched[s - 1]
       :: else
       fi;
       current = s
     }
  :: d_step {
       current != NONE && queue[s]?[HELLO] ->
       queue[s]?HELLO(seq, ttl);
       greeted[s] = true;
       known[s] = seq;
       seq = 0
     }
  :: d_step {
       current != NONE && queue[s]?[EVENT] ->
       queue[s]?EVENT(seq, ttl);
       entry[s] = false;
       known[s] = 1;
       /* The acknowledgement. One that arrives later only delays. */
       confirmed[s] = 1;
       seq = 0
     }
  :: d_step {
       current != NONE && greeted[s] && !pinged ->
       ping[s] = true;
       pinged = true;
       c0 = 0
     }
  :: d_step {
       current != NONE && queue[s]?[GRANT] ->
       queue[s]?GRANT(seq, ttl);
       if
       :: MUTANT == client_lease_from_receipt -> c0 = 0
       :: else
       fi;
       if
       :: seq <= known[s] && ttl > c0 ->
          vouched[s] = MAX(vouched[s], ttl - c0)
       :: else
       fi;
       pinged = false;
       c0 = TTL;
       seq = 0;
       ttl = 0
     }
  :: d_step { current != NONE -> end_session() }
  od
}

/* Rule 8, a look-up in the cache, again and again. Only one that begins after
 * the change has returned can be wrong. The clock is read with the look-up: a
 * later reading only refuses more. */
proctype Lookup() {
  byte s;
  do
  :: d_step {
       (returned || REACH) && current != NONE &&
         (vouched[current] > 0 || MUTANT == shares_earlier_call) ->
       s = current;
       captured = vouched[s]
     }
     if
     :: d_step {
          if
          :: MUTANT == lease_of_other_stream && current != NONE -> s = current
          :: else
          fi;
          if
          :: entry[s] && captured > 0 ->
             REACHED(hit);
             if
             :: s == 1 -> REACHED(hit_under_second_session)
             :: else
             fi;
             assert(!returned)
          :: else
          fi
        }
     /* A miss calls for itself, or waits for the call in flight: see Call. */
     :: d_step { !entry[s] && in_flight -> waiting = true }
        !waiting
     fi;
     atomic { s = 0; captured = 0 }
  od
}

/* Rule 8, a miss: a call, and what becomes of its reply. A reply with the
 * answer of after is right in any case, so only the others are followed. What
 * the replica does (rule 4) is one step here: the answer of before is had most
 * easily at once. */
proctype Call() {
  byte r;
  byte s;
  bit seq;
  bool fresh;
  bool tells;
  do
  :: atomic {
       current != NONE ->
       s = current;
       if
       :: r = at[s]
       :: SECOND -> r = 1 - at[s]
       fi;
       !applied[r] && lease[r] > 0 ->
       REACHED(call_answers_before);
       assert(!returned);
       in_flight = true
     }
     if
     :: MUTANT == seq_after_lookup -> seq = applied[r]
     :: else
     fi;
     /* The stream will tell, unless there has been a change since. */
     d_step {
       if
       :: at[s] == r && joined[s] &&
          (queued[s] <= seq || MUTANT == noted_though_older) ->
          noted[s] = true;
          tells = true
       :: else ->
          REACHED(not_noted)
       fi
     }
     /* The reply, at the client. */
     d_step {
       s = (MUTANT == lease_of_other_stream && current != NONE -> current : s);
       fresh = (s == current && at[s] == r &&
                (tells || MUTANT == not_noted_cached) &&
                greeted[s] &&
                (seq >= known[s] || MUTANT == stale_reply_cached));
       if
       :: !fresh && s == current && at[s] == r && greeted[s] ->
          REACHED(reply_refused)
       :: else
       fi;
       if
       :: waiting && (fresh && captured > 0 || MUTANT == shares_earlier_call) ->
          REACHED(shared_answer);
          assert(!returned)
       :: else
       fi;
       if
       :: fresh && MUTANT != fill_in_two_steps -> entry[s] = true
       :: else
       fi;
       in_flight = false;
       waiting = false
     }
     if
     :: d_step {
          fresh && MUTANT == fill_in_two_steps && s == current -> entry[s] = true
        }
     :: else
     fi;
     atomic { r = 0; s = 0; seq = 0; fresh = false; tells = false }
  od
}

init {
  atomic {
    row[0] = true;
    row[1] = (SECOND > 0);
    lease[1] = (SECOND == 1 -> TTL : 0);
    t0[0] = TTL;
    t0[1] = TTL;
    c0 = TTL;
    c1 = TTL;
    at[0] = NONE;
    at[1] = NONE;
    run Clock();
    run Lookup();
    run Call();
    run Mutator();
    run Session();
    run Hub();
    run Replica(0);
    if
    :: SECOND == 2 -> run Replica(1)
    :: else
    fi;
    if
    :: DRAIN -> run Drain()
    :: else
    fi
  }
}
