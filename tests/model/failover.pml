/*
 * One replica, two mutators and a reaper across one failover: of a synchronous
 * standby, or of one that lags, which loses what it had not received.
 *
 * Database 0 is the primary of timeline 0. Its standby is database 1, which is
 * promoted at any time and then is the primary of timeline 1. Database 0 is
 * deposed by that, and goes on answering SELECTs. With a synchronous standby it
 * also goes on taking writes that nobody confirms any more. Without one it was
 * fenced: while it confirms writes, nothing could hold on timeline 1.
 *
 * The property: once the change has returned, the replica does not answer as
 * before. A change that a standby which lagged has lost is excused.
 *
 * Time is as in replica.pml: clocks are ticks left, or ticks since.
 */

#ifndef TTL
#define TTL 2
#endif
/* How often the replica may renew its row. */
#ifndef RENEWALS
#define RENEWALS 3
#endif

/* Whether the standby is synchronous, and who is there beside the replica and
 * the change under test: another mutator, a reaper. */
#ifndef SYNCHRONOUS
#define SYNCHRONOUS 1
#endif
#ifndef OTHER
#define OTHER COMMITS_ONLY
#endif
#define COMMITS_ONLY 2 /* and does not wait */
#ifndef REAPER
#define REAPER 0
#endif
/* Whether acknowledgements count on a young timeline. Of one replica they may;
 * where there are several, the failover may have lost another's row. */
#ifndef EARLY_ACKS
#define EARLY_ACKS 0
#endif

/* Mutants: -DMUTANT=name. The runner reads this list. */
#define list_on_another_session 1      /* the replicas are listed wherever a new session leads */
#define cancelled_commit_believed 2    /* a commit whose synchronous wait was cancelled counts */
#define renewal_by_select 3            /* a sync point only reads, as a deposed primary lets it */
#define adoption_without_check 4       /* [lossy] a new timeline is adopted without the renewals' proof */
#define adoption_by_heads 5            /* [lossy] a head that is high enough counts as the proof */
#define adoption_after_renewal 6       /* [lossy] the row is renewed there first, which makes up for a lost renewal */
#define acks_of_any_timeline 7         /* [early-acks] an acknowledgement of a lost change counts for its successor */
#define early_return_on_young_timeline 8 /* [lossy] a replica whose row the failover lost is not waited for */
#define gone_at_deposed_primary 9      /* a row counts as gone because a deposed primary lacks it */
#define reaper_ignores_timeline 10     /* [longer] a row that a failover rewound and its replica renewed is deleted */
#define applied_before_confirmed 11    /* changes are applied before the sync point's commit is confirmed */
#define registered_on_another_timeline 12 /* an index loaded on one timeline goes on with the log of another */
#ifndef MUTANT
#define MUTANT 0
#endif

/* Points that a search must reach: -DREACH=name turns one into an error. */
#define returns_by_acknowledgement 1
#define returns_by_acknowledgement_on_1 2
#define returns_by_lease_expiry 3
#define returns_by_gone 4 /* [sync-reaper] */
#define adopts_under_lease 5
#define history_is_lost 6 /* [lossy] */
#define answers_before 7
#define answers_after 8
#define change_is_lost 9 /* [lossy] */
#define second_call_returns 10 /* [sync-other] */
#ifndef REACH
#define REACH 0
#endif
#define REACHED(point) assert(REACH != point)

#define MAX(a, b) ((a) > (b) -> (a) : (b))

/* The databases. Change n is the one under test, or another's. */
byte head[2];
bool done[2];            /* the change under test is there */
byte number[2];          /* as this change */
bool row[2];
byte renewals[2];
byte acked[2];
bit timeline[2];         /* of the row */
bool promoted;

/* Commits at database 0 that the standby has not received: the replica's, and
 * each mutator's. */
#define REPLICA 2
bool pending[3];
#define CONFIRMED(who) (!pending[who])
/* What takes writes. */
#define WRITABLE(db) (db == 1 -> promoted : SYNCHRONOUS || !promoted)
#define READABLE(db) (db == 0 || promoted)

/* The replica. */
bit own;                 /* the timeline it is on */
byte applied;
bool applied_change;
byte confirmed;          /* the highest number of renewals that was confirmed */
byte lease;
byte t0;
bool closed;

/* The others. */
bool returned;
byte c1[2];
bool saw;                /* the server has seen timeline 1, */
byte seen;               /* so many ticks ago */
byte r0;

inline left(timer) { timer = (timer > 0 -> timer - 1 : 0) }
inline since(timer) { timer = (timer < TTL -> timer + 1 : TTL) }

proctype Clock() {
  do
  :: d_step {
       left(lease);
       since(t0);
       since(c1[0]);
       since(c1[1]);
       since(seen);
       since(r0)
     }
  od
}

/* The standby receives all that there is: to receive less is to do so earlier.
 * What waits for it is confirmed. */
proctype Standby() {
  do
  :: d_step {
       !promoted ->
       head[1] = head[0];
       done[1] = done[0];
       number[1] = number[0];
       row[1] = row[0];
       renewals[1] = renewals[0];
       acked[1] = acked[0];
       timeline[1] = timeline[0];
       pending[0] = false;
       pending[1] = false;
       pending[REPLICA] = false
     }
  :: d_step {
       !promoted -> promoted = true;
       if
       :: done[0] && !done[1] && returned -> REACHED(change_is_lost)
       :: else
       fi
     }
     break
  od;
  atomic { !saw -> saw = true; seen = 0 }
}

#define NEEDS_STANDBY(db) (SYNCHRONOUS && db == 0)

/* Rule 11: no lease any more, for good. */
inline close() {
  closed = true;
  lease = 0
}

inline apply() {
  applied++;
  if
  :: done[d] && number[d] == applied -> applied_change = true
  :: else
  fi
}

inline renew() {
  if
  :: MUTANT != renewal_by_select ->
     renewals[d]++;
     count = renewals[d];
     acked[d] = MAX(acked[d], applied);
     pending[REPLICA] = NEEDS_STANDBY(d)
  :: else
  fi;
  target = head[d]
}

inline adopt() {
  if
  :: MUTANT == adoption_after_renewal && row[1] -> renewals[1]++
  :: else
  fi;
  if
  /* An earlier attempt succeeded, and its answer was lost. */
  :: row[1] && timeline[1] == 1 -> adopted = true
  :: row[1] && timeline[1] == 0 &&
       (MUTANT == adoption_without_check ||
        MUTANT == adoption_by_heads && head[1] >= applied ||
        MUTANT != adoption_by_heads && renewals[1] >= confirmed) ->
     timeline[1] = 1;
     renewals[1]++;
     adopted = true
  :: else ->
     if
     :: row[1] -> REACHED(history_is_lost)
     :: else
     fi;
     close()
  fi;
  count = renewals[1]
}

proctype Replica() {
  bit d;
  byte target;
  byte count;
  byte spent;
  bool adopted;

  /* Rule 2. The row carries the timeline of the load, or is not written. */
  do
  :: atomic {
       if
       :: d = 0
       :: READABLE(1) -> d = 1
       fi;
       own = d;
       applied = head[d];
       applied_change = done[d]
     }
     if
     :: d_step {
          MUTANT == registered_on_another_timeline && own == 0 && promoted ->
          d = 1;
          own = 1
        }
     :: true
     fi;
     if
     :: d_step {
          WRITABLE(d) ->
          row[d] = true;
          timeline[d] = own;
          renewals[d] = 0;
          acked[d] = applied;
          pending[REPLICA] = NEEDS_STANDBY(d)
        }
        if
        :: CONFIRMED(REPLICA) -> break
        /* In doubt for good: another row, after another load. */
        :: atomic { !CONFIRMED(REPLICA) && promoted -> pending[REPLICA] = false }
        fi
     :: !WRITABLE(d)
     fi
  od;

  do
  :: closed -> break
  :: atomic {
       !closed && spent < RENEWALS ->
       t0 = 0;
       spent++;
       if
       :: d = own
       :: own == 0 && promoted -> d = 1
       fi
     }
     if
     /* Rule 11: a new timeline. The lease goes on meanwhile. */
     :: d_step { d != own -> adopt() }
        if
        :: d_step {
             adopted ->
             if
             :: lease > 0 -> REACHED(adopts_under_lease)
             :: else
             fi;
             own = 1;
             confirmed = count
           }
        :: true
        fi
     /* Rule 3. */
     :: d_step {
          d == own && row[d] && timeline[d] == own &&
            (WRITABLE(d) || MUTANT == renewal_by_select) ->
          renew()
        }
        if
        :: MUTANT == applied_before_confirmed ->
           do
           :: d_step { applied < target -> apply() }
           :: applied >= target -> break
           od
        :: else
        fi;
        if
        :: d_step { CONFIRMED(REPLICA) -> confirmed = MAX(confirmed, count) }
           do
           :: d_step { applied < target -> apply() }
           :: atomic {
                applied >= target ->
                if
                :: applied > target -> close()
                :: applied == target && !closed -> lease = MAX(lease, TTL - t0)
                :: else
                fi
              }
              break
           od
        /* In doubt, or the answer is lost. */
        :: true
        fi
     :: d_step { d == own && !row[d] && WRITABLE(d) -> close() }
     :: d == own && !WRITABLE(d) && MUTANT != renewal_by_select
     fi;
     atomic { d = 0; t0 = TTL; target = 0; count = 0; adopted = false }
  od
}

/* Rule 12. It reads and deletes wherever its session leads. */
proctype Reaper() {
  bit d;
  byte count;
  bit line;
  do
  :: atomic {
       if
       :: row[0] -> d = 0
       :: READABLE(1) && row[1] -> d = 1
       fi;
       count = renewals[d];
       line = timeline[d];
       r0 = 0
     }
     r0 >= TTL;
     atomic {
       if
       :: d = 0
       :: promoted -> d = 1
       fi;
       if
       :: WRITABLE(d) && row[d] && renewals[d] == count &&
            (timeline[d] == line || MUTANT == reaper_ignores_timeline) ->
          row[d] = false
       :: else
       fi;
       d = 0;
       count = 0;
       line = 0;
       r0 = TTL
     }
  od
}

/* An acknowledgement that can be read anywhere, of the commit's timeline. */
#define ACKED(db) \
  (READABLE(db) && row[db] && acked[db] >= n && \
   (timeline[db] == d || MUTANT == acks_of_any_timeline))
/* Rule 9: nothing but the end of every lease counts on a young timeline. */
#define RIPE (d == 0 || seen >= TTL || MUTANT == early_return_on_young_timeline)

/* Rules 9 and 10: the change under test, or another one, or the change under
 * test once more, which is a log row that changes nothing. */
proctype Mutator(bit me) {
  bit d;
  byte n;
  bool counts;
  bool listed;
  bool gone;

  atomic {
    if
    :: WRITABLE(0) -> d = 0
    :: WRITABLE(1) -> d = 1
    fi;
    head[d]++;
    n = head[d];
    if
    :: me == 0 -> counts = true; done[d] = true; number[d] = n
    :: else -> counts = done[d]
    fi;
    pending[me] = NEEDS_STANDBY(d);
    if
    :: d == 1 && !saw -> saw = true; seen = 0
    :: else
    fi
  }
  /* In doubt is where this process stops. */
  atomic {
    (CONFIRMED(me) || MUTANT == cancelled_commit_believed) &&
      !(me == 1 && OTHER == COMMITS_ONLY) ->
    pending[me] = false;
    c1[me] = 0
  }
  if
  :: listed = row[d]
  :: MUTANT == list_on_another_session && promoted -> listed = row[1 - d]
  fi;
  do
  :: d_step {
       listed && (RIPE || EARLY_ACKS) && (ACKED(0) || ACKED(1)) ->
       REACHED(returns_by_acknowledgement);
       if
       :: d == 1 -> REACHED(returns_by_acknowledgement_on_1)
       :: else
       fi
     }
     break
  :: RIPE && !listed -> break
  :: d_step { RIPE && gone && CONFIRMED(me) -> REACHED(returns_by_gone) }
     break
  :: d_step { c1[me] >= TTL -> REACHED(returns_by_lease_expiry) }
     break
  /* Gone, as a write sees it that is itself confirmed. */
  :: d_step {
       listed && !gone && WRITABLE(d) && !row[d] ->
       gone = true;
       pending[me] = NEEDS_STANDBY(d)
     }
  :: d_step { d == 0 && promoted && listed && !gone && !row[1] -> gone = true }
  :: d_step {
       MUTANT == gone_at_deposed_primary && !gone && listed && !row[0] ->
       gone = true
     }
  od;
  atomic {
    if
    :: counts && me == 1 -> REACHED(second_call_returns)
    :: else
    fi;
    returned = returned || counts;
    d = 0;
    n = 0;
    counts = false;
    listed = false;
    gone = false;
    c1[me] = TTL
  }
}

/* Rule 4. What a Validate does in steps comes to this: the look-up finds the
 * answer of before most easily at once, and a later clock only refuses. */
proctype Validate() {
  do
  :: d_step {
       lease > 0 ->
       if
       :: applied_change -> REACHED(answers_after)
       :: else ->
          REACHED(answers_before);
          assert(!returned || !SYNCHRONOUS && !done[promoted])
       fi
     }
  od
}

init {
  atomic {
    t0 = TTL;
    c1[0] = TTL;
    c1[1] = TTL;
    r0 = TTL;
    seen = TTL;
    run Clock();
    run Validate();
    run Standby();
    run Replica();
    run Mutator(0);
    if
    :: OTHER -> run Mutator(1)
    :: else
    fi;
    if
    :: REAPER -> run Reaper()
    :: else
    fi
  }
}
