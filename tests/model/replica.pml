/*
 * Replicas, a revoker, a reaper and a validating caller, on one database that
 * never fails over. No clients that cache: those are in client.pml.
 *
 * The property: once Create has returned, no Validate invoked afterwards says
 * UNKNOWN; once Revoke has returned, none says VALID.
 *
 * Time is discrete and has no beginning: a lease is the number of ticks that
 * it still lasts, a clock reading is the number of ticks since, as far as
 * anybody asks (up to TTL). Between any two steps of a process the others may
 * run and the clock may tick, without limit. That is how pauses, crashes, slow
 * messages and partitions get in.
 */

#ifndef TTL
#define TTL 2
#endif
/* How many replicas there are: 1 or 2. */
#ifndef REPLICAS
#define REPLICAS 1
#endif
#define LAST (REPLICAS - 1)
/* Whether the changes that come with a renewal may stop short of its head. */
#ifndef PAGES
#define PAGES 1
#endif
/* Whether there is another mutator. */
#ifndef OTHER
#define OTHER 1
#endif
/* Whether replica 0 may close. */
#ifndef CLOSER
#define CLOSER 1
#endif

/* Mutants: -DMUTANT=name. The runner reads this list. */
#define ack_before_apply 1             /* an acknowledgement runs ahead of the index */
#define lease_from_receipt 2           /* the lease counts from the answer, not from before the request */
#define lease_before_apply 3           /* the lease is extended before the changes are in the index */
#define lease_read_again 4             /* Validate reads the lease a second time, after the look-up */
#define have_lease_flag 5              /* Validate believes a flag that a timer clears */
#define cached_now 6                   /* Validate reads a clock that a timer advances */
#define unknown_without_lease 7        /* UNKNOWN is said when the lease has run out */
#define list_before_commit 8           /* the replicas are listed before the change is committed */
#define already_revoked_at_once 9      /* revoking the revoked returns without a wait */
#define lease_from_load 10             /* the load of the index publishes a lease */
#define restart_takes_over_row 11      /* [two] a new incarnation goes on with the row of the one before */
#define reaper_early 12                /* the reaper deletes a row one tick too early */
#define reaper_from_before_read 13     /* the reaper counts from before its read */
#define reaper_without_compare 14      /* the reaper deletes a row that was renewed meanwhile */
#define log_out_of_order 15            /* a change becomes visible after one with a higher number */
#define index_cleared_in_place 16      /* closing empties the index under calls in flight */
#define lease_though_short 17          /* the lease is extended though the changes stop short */
#define newer_t0_with_older_head 18    /* a later clock reading vouches for an earlier head */
#define row_deleted_while_serving 19   /* a drained replica deletes its row before its lease ends */
#define lease_after_closing 20         /* a sync point in flight publishes a lease after the closing */
#ifndef MUTANT
#define MUTANT 0
#endif

/* Points that a search must reach: -DREACH=name turns one into an error. */
#define returns_by_acknowledgement 1
#define returns_by_lease_expiry 2
#define returns_by_gone 3
#define second_call_returns 4
#define answers_before 5
#define answers_after 6
#define answers_unavailable 7
#define row_is_reaped 8
#define kept_pair_is_published 9
#ifndef REACH
#define REACH 0
#endif
#define REACHED(point) assert(REACH != point)

#define MAX(a, b) ((a) > (b) -> (a) : (b))

/* What is known of the one token, in an index or in the database. */
#define ABSENT 0
#define LIVE 1
#define DEAD 2

/* The database. Change n turns the token into change[n], or leaves it. */
#define LEFT 3
#define CHANGES 3
byte head;
byte change[CHANGES];
byte token;
byte unseen;             /* with log_out_of_order: numbered, not yet visible */
bool row[REPLICAS];
byte acked[REPLICAS];

/* With have_lease_flag and cached_now. */
#define LAGS (MUTANT == have_lease_flag || MUTANT == cached_now)
#define VISIBLE_HEAD (unseen > 0 && unseen == head -> head - 1 : head)

/* The replicas' memory. */
byte applied[REPLICAS];
byte index[REPLICAS];
byte lease[REPLICAS];    /* ticks left */
byte t0[REPLICAS];       /* ticks since the sync point in flight was begun */
bool closed[REPLICAS];
byte kept_head[REPLICAS]; /* of a sync point that stopped short */
byte kept_t0[REPLICAS];
byte seen[REPLICAS];     /* with LAGS: the lease, as the timer last saw it */

/* The change under test, a creation or a revocation: what the token was before,
 * and whether the caller was told that it is so no more. */
byte before;
bool returned;

/* The clocks of everybody else. */
byte captured;           /* ticks left of the lease that Validate captured */
byte c1[2];              /* ticks since each mutator's commit */
byte r0;                 /* ticks since the reaper's read */
byte watched = REPLICAS; /* the reaper's row, and whether it was renewed */
bool renewed;

#define NONE 255
/* The row that a replica takes for its own. */
#define ROW(r) (MUTANT == restart_takes_over_row -> 0 : r)

inline left(timer) { timer = (timer > 0 -> timer - 1 : 0) }
inline since(timer) { timer = (timer < TTL -> timer + 1 : TTL) }

proctype Clock() {
  byte r;
  do
  :: d_step {
       for (r : 0 .. LAST) {
         left(lease[r]);
         since(t0[r]);
         if
         :: kept_head[r] != NONE -> since(kept_t0[r])
         :: else
         fi
       }
       left(captured);
       since(c1[0]);
       since(c1[1]);
       since(r0);
       r = 0
     }
  od
}

/* Rule 3, the end: a closed replica publishes nothing (rule 11). */
inline publish(r, age) {
  if
  :: !closed[r] || MUTANT == lease_after_closing ->
     lease[r] = MAX(lease[r], TTL - age);
     seen[r] = (LAGS -> MAX(seen[r], lease[r]) : 0)
  :: else
  fi
}

/* Applies the next change, and publishes the pair that was kept as soon as its
 * head is reached. */
inline apply_next(r) {
  applied[r]++;
  if
  :: applied[r] != unseen && change[applied[r]] != LEFT ->
     index[r] = change[applied[r]]
  :: else
  fi;
  if
  :: kept_head[r] != NONE && applied[r] >= kept_head[r] ->
     REACHED(kept_pair_is_published);
     if
     :: MUTANT == newer_t0_with_older_head -> publish(r, t0[r])
     :: else -> publish(r, kept_t0[r])
     fi;
     kept_head[r] = NONE;
     kept_t0[r] = TTL
  :: else
  fi
}

/* For the two mutants only: the thread that advances what they cache. */
proctype Timer() {
  do
  :: seen[0] = lease[0]
  od
}

/* One incarnation of a replica: a restart is another process of this type, of
 * which there are enough. Dying is to take no further step; that its Validates
 * may go on only makes the check stricter. */
proctype Replica(byte r) {
  byte target;

  /* Rule 2: load, then register, then the first sync point. */
  d_step {
    applied[r] = VISIBLE_HEAD;
    index[r] = token;
    if
    :: MUTANT == lease_from_load -> lease[r] = TTL
    :: else
    fi
  }
  d_step {
    row[ROW(r)] = true;
    acked[ROW(r)] = MAX(acked[ROW(r)], applied[r])
  }

  do
  :: closed[r] -> break
  /* Rule 3: the clock is read, then the request is sent. */
  :: d_step { !closed[r] -> t0[r] = 0 }
     /* The statement, in the database. One that comes later than its replica
      * waits for does no more than one in time: what it acknowledges stays
      * true. */
     if
     :: d_step {
          row[ROW(r)] ->
          target = VISIBLE_HEAD;
          acked[ROW(r)] = MAX(acked[ROW(r)],
                              (MUTANT == ack_before_apply -> head : applied[r]));
          if
          :: watched == ROW(r) -> renewed = true
          :: else
          fi
        }
     :: d_step { !row[ROW(r)] -> closed[r] = true; lease[r] = 0 }
        break
     fi;
     /* The answer arrives, or is lost. */
     if
     :: d_step {
          if
          :: MUTANT == lease_from_receipt -> t0[r] = 0
          :: MUTANT == lease_before_apply -> publish(r, t0[r])
          :: else
          fi
        }
        do
        :: d_step { applied[r] < target -> apply_next(r) }
        /* A long backlog comes in pages, and a sync point may end short. */
        :: d_step {
             PAGES && applied[r] < target ->
             if
             :: MUTANT == lease_though_short -> publish(r, t0[r])
             :: MUTANT != lease_though_short && kept_head[r] == NONE ->
                kept_head[r] = target;
                kept_t0[r] = t0[r]
             :: else
             fi
           }
           break
        :: d_step { applied[r] == target -> publish(r, t0[r]) }
           break
        od
     :: true
     fi;
     atomic { t0[r] = TTL; target = 0 }
  od;
  atomic { t0[r] = TTL; target = 0 }
}

/* Rules 11 and 13: a replica closes, for a fault or by a drain, and takes its
 * row away. The thread that does so is not the one of the sync points. */
proctype Closer(byte r) {
  if
  :: MUTANT == row_deleted_while_serving ->
     row[ROW(r)] = false
  :: else
  fi;
  d_step {
    closed[r] = true;
    lease[r] = 0;
    if
    :: MUTANT == index_cleared_in_place -> index[r] = ABSENT
    :: else
    fi
  }
  row[ROW(r)] = false
}

/* Rule 12. One is enough: what another deletes is as if this one had begun
 * earlier. */
proctype Reaper() {
  byte r;
  do
  :: atomic {
       if
       :: row[0] -> r = 0
       :: REPLICAS > 1 && row[LAST] -> r = LAST
       fi;
       r0 = 0;
       if
       :: MUTANT != reaper_from_before_read -> watched = r; renewed = false
       :: else
       fi
     }
     if
     :: MUTANT == reaper_from_before_read ->
        d_step { watched = r; renewed = false }
     :: else
     fi;
     r0 >= TTL - (MUTANT == reaper_early -> 1 : 0);
     d_step {
       if
       :: row[r] && (!renewed || MUTANT == reaper_without_compare) ->
          REACHED(row_is_reaped);
          row[r] = false
       :: else
       fi;
       watched = REPLICAS;
       renewed = false;
       r = 0;
       r0 = TTL
     }
  od
}

/* Rule 9. The list is a snapshot after the commit, the wait one statement that
 * looks at all rows. A later c1 only waits longer, so it is read at once. */
inline list() {
  d_step {
    listed[0] = row[0];
    listed[LAST] = row[LAST]
  }
}

inline commit(me, effect) {
  head++;
  change[head] = effect;
  n = head;
  c1[me] = 0
}

#define GONE(r) (listed[r] && !row[r] && acked[r] < n)
#define QUIET(r) (!listed[r] || !row[r] || acked[r] >= n)

inline wait(me) {
  if
  :: d_step {
       QUIET(0) && QUIET(LAST) ->
       if
       :: GONE(0) || GONE(LAST) -> REACHED(returns_by_gone)
       :: listed[0] && listed[LAST] -> REACHED(returns_by_acknowledgement)
       :: else
       fi
     }
  :: d_step {
       c1[me] >= TTL ->
       if
       :: !QUIET(0) || !QUIET(LAST) -> REACHED(returns_by_lease_expiry)
       :: else
       fi
     }
  fi
}

proctype Mutator() {
  byte n;
  bool listed[REPLICAS];

  if
  :: MUTANT == list_before_commit -> list()
  :: else
  fi;
  if
  :: MUTANT == log_out_of_order ->
     d_step { commit(0, before + 1); unseen = n }
     d_step { unseen = 0; token = before + 1; c1[0] = 0 }
  :: else ->
     d_step { commit(0, before + 1); token = before + 1 }
  fi;
  if
  :: MUTANT != list_before_commit -> list()
  :: else
  fi;
  wait(0);
  d_step {
    returned = true;
    n = 0;
    c1[0] = TTL;
    listed[0] = false;
    listed[LAST] = false
  }
}

/* Another mutator, once: of some other token, or of ours after somebody else
 * revoked it (rule 10). Either way its log row changes nothing here. */
proctype Other() {
  byte n;
  bool listed[REPLICAS];
  bool again;

  d_step {
    again = (token != before);
    if
    :: again && MUTANT == already_revoked_at_once -> returned = true
    :: else -> commit(1, LEFT)
    fi
  }
  list();
  wait(1);
  d_step {
    if
    :: again -> REACHED(second_call_returns); returned = true
    :: else
    fi;
    again = false;
    n = 0;
    c1[1] = TTL;
    listed[0] = false;
    listed[LAST] = false
  }
}

/* Rule 4, at either replica, again and again. Calls do not touch each other,
 * so one at a time will do; and one that began before the change had returned
 * may say anything, so it need not begin. Being invoked and capturing the lease
 * are one step: to be invoked later only makes the promise stronger. */
proctype Validate() {
  byte r;
  byte found;
  byte then;
  do
  :: atomic {
       returned || REACH == answers_before ->
       if
       :: r = 0
       :: REPLICAS > 1 -> r = LAST
       fi;
       captured = lease[r];
       then = seen[r]
     }
     found = index[r];
     d_step {
       if
       :: MUTANT == lease_read_again -> captured = lease[r]
       :: MUTANT == have_lease_flag -> captured = seen[r]
       :: MUTANT == cached_now -> captured = then
       :: MUTANT == unknown_without_lease && found == ABSENT -> captured = 1
       :: else
       fi;
       if
       :: captured == 0 -> REACHED(answers_unavailable)
       :: else ->
          if
          :: found == before -> REACHED(answers_before)
          :: else -> REACHED(answers_after)
          fi;
          assert(!returned || found > before)
       fi;
       r = 0;
       found = 0;
       then = 0;
       captured = 0
     }
  od
}

init {
  atomic {
    if
    :: before = ABSENT
    :: before = LIVE
    fi;
    token = before;
    c1[0] = TTL;
    c1[1] = TTL;
    r0 = TTL;
    t0[0] = TTL;
    t0[LAST] = TTL;
    kept_head[0] = NONE;
    kept_head[LAST] = NONE;
    kept_t0[0] = TTL;
    kept_t0[LAST] = TTL;
    index[0] = LEFT;
    index[LAST] = LEFT;
    run Clock();
    if
    :: LAGS -> run Timer()
    :: else
    fi;
    run Validate();
    run Mutator();
    run Reaper();
    run Replica(0);
    if
    :: REPLICAS > 1 -> run Replica(LAST)
    :: else
    fi;
    if
    :: CLOSER -> run Closer(0)
    :: else
    fi;
    if
    :: OTHER -> run Other()
    :: else
    fi
  }
}
