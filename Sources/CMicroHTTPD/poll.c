// How the library's threads wait. They go to sleep as soon as there is nothing to do, and waking
// one up took 70 to 110 us in a virtual machine (p50 of one client with this and without; BARE.md),
// longer than a small request. So a thread that was woken soon after it had fallen asleep looks
// again and again for a while, the next time, before it sleeps. One that looked in vain sleeps at
// once: a client that takes its time costs nothing.
//
// Only for a lone client: where many are busy, the next request is seldom far away, and a thread
// that looks for it holds up whoever has work for the processor, clients among them. At half of the
// largest rate of 64 connections p99 was 1.3 to 2 ms with every thread looking, and 0.4 to 0.7 with
// none (two cores; BARE.md).
//
// And how they share a processor. Where there are more busy threads than processors (a client that
// is one of them, say), two of ours may be on the same one, and who is kept busy by its clients has
// it until the scheduler's tick, every 4 ms: the other's wait. So a thread that has not slept for a
// millisecond offers its processor once: p99 of 64 clients who send as fast as answers come went
// from 4.4 to 2.7 ms, beside a hundredth of their requests (BARE.md).
//
// The library has no option for this. It calls epoll_wait by its name, and a program's own function
// comes before libc's: this one, which does what libc's does, only later.
#define _GNU_SOURCE
#include "CMicroHTTPD.h"

#include <sched.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <time.h>

static _Atomic uint64_t hit_count;
static _Atomic uint64_t yield_count;

// How long a thread stays awake before it lets others have its processor, and what a wait takes
// that was a sleep; in nanoseconds.
enum { AWAKE_MAX = 1000000, SLEEP_MIN = 5000 };
// Whether this thread is the library's, and when it was woken last.
static _Thread_local bool is_library_thread;
static _Thread_local int64_t awake_since;

// How long this thread looks for more.
static _Thread_local int64_t limit;
// Whether its last sleep was a short one.
static _Thread_local bool expects_events;

// A lone client is one connection, and the pipe by which the library hears of answers.
enum { SOURCES = 2, FAMILIAR_MIN = 4 };
static _Thread_local void *sources[SOURCES];
// How many events in a row came one by one, and from these.
static _Thread_local int familiar_count;

static int64_t monotonic_nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

void CMicroHTTPD_set_busy_poll(int64_t nanoseconds) {
  limit = nanoseconds;
  is_library_thread = true;
}

uint64_t CMicroHTTPD_yields(void) {
  return atomic_load_explicit(&yield_count, memory_order_relaxed);
}

uint64_t CMicroHTTPD_busy_poll_hits(void) {
  return atomic_load_explicit(&hit_count, memory_order_relaxed);
}

static void note_sources(const struct epoll_event *events, int count) {
  if (count < 1) return;
  void *source = events[0].data.ptr;
  bool is_familiar = source == sources[0] || source == sources[1];
  familiar_count = count == 1 && is_familiar ? familiar_count + (familiar_count < FAMILIAR_MIN) : 0;
  if (is_familiar) return;
  sources[1] = sources[0];
  sources[0] = source;
}

// Looks for a while, if the last sleep was short, and sleeps then.
static int look_and_wait(int epoll, struct epoll_event *events, int events_max, int timeout) {
  int count = epoll_pwait(epoll, events, events_max, 0, NULL);
  if (count != 0) return count;
  int64_t start = monotonic_nanoseconds();
  if (expects_events) {
    do {
      // Whoever else has work for this processor goes first: the client, perhaps.
      sched_yield();
      count = epoll_pwait(epoll, events, events_max, 0, NULL);
      if (count != 0) {
        atomic_fetch_add_explicit(&hit_count, 1, memory_order_relaxed);
        return count;
      }
    } while (monotonic_nanoseconds() - start < limit);
  }
  count = epoll_pwait(epoll, events, events_max, timeout, NULL);
  // Twice: waking up is part of it.
  expects_events = !expects_events && monotonic_nanoseconds() - start < 2 * limit;
  return count;
}

// Sleeps until there is something; before that, others have had the processor within a millisecond.
static int wait_fairly(int epoll, struct epoll_event *events, int events_max, int timeout) {
  int64_t start = monotonic_nanoseconds();
  if (start - awake_since > AWAKE_MAX) {
    sched_yield();
    atomic_fetch_add_explicit(&yield_count, 1, memory_order_relaxed);
    awake_since = start = monotonic_nanoseconds();
  }
  int count = epoll_pwait(epoll, events, events_max, timeout, NULL);
  int64_t end = monotonic_nanoseconds();
  if (end - start > SLEEP_MIN) awake_since = end;
  return count;
}

int epoll_wait(int epoll, struct epoll_event *events, int events_max, int timeout_milliseconds) {
  if (!is_library_thread)
    return epoll_pwait(epoll, events, events_max, timeout_milliseconds, NULL);
  bool looks = familiar_count == FAMILIAR_MIN && timeout_milliseconds != 0;
  int count = looks ? look_and_wait(epoll, events, events_max, timeout_milliseconds)
                    : wait_fairly(epoll, events, events_max, timeout_milliseconds);
  if (limit > 0) note_sources(events, count);
  return count;
}
