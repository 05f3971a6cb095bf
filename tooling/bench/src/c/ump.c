/*
 * usage: ump SLOTS
 * Two threads send each other messages of 14 words through rings of SLOTS slots of a cache line, the
 * control word atomic and the payload plain, and spin. For each line "round-trip MILLISECONDS" of
 * input they go on for about that long and print how many nanoseconds a round trip took. Ends with
 * its input.
 *
 * As in ../duel.ts, a bout is short, and of those without a rest the shortest counts.
 */

#define _POSIX_C_SOURCE 199309L

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PAYLOAD_WORDS = 14, BOUT = 80, PATIENCE = 100000, REST_NS = 50000 };

typedef struct {
  _Alignas(64) uint32_t payload[PAYLOAD_WORDS];
  uint32_t note;
  _Atomic uint32_t control;
} Slot;

typedef struct {
  Slot *sending, *receiving;
  uint32_t sent, received;
} Side;

static uint32_t slots;
static Side sides[2];
static uint32_t message[2][PAYLOAD_WORDS], into[2][PAYLOAD_WORDS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t woken = PTHREAD_COND_INITIALIZER;
static uint32_t bout;
static _Atomic uint32_t ready;
static uint32_t rests; /* of the first side */

static void rest(uint32_t *looks, int me) {
  if (++*looks < PATIENCE) return;
  *looks = 0;
  if (me == 0) rests += 1;
  nanosleep(&(struct timespec){.tv_nsec = REST_NS}, NULL);
}

static void send(Side *side, const uint32_t *words) {
  Slot *slot = &side->sending[side->sent % slots];
  side->sent += 1;
  memcpy(slot->payload, words, sizeof slot->payload);
  atomic_store_explicit(&slot->control, side->sent, memory_order_release);
}

static void receive(int me, uint32_t *words) {
  Side *side = &sides[me];
  Slot *slot = &side->receiving[side->received % slots];
  side->received += 1;
  uint32_t looks = 0;
  while (atomic_load_explicit(&slot->control, memory_order_acquire) != side->received) {
    rest(&looks, me);
  }
  memcpy(words, slot->payload, sizeof slot->payload);
}

static void play(int me) {
  for (int i = 0; i < BOUT; i++) {
    if (me == 0) send(&sides[me], message[me]);
    receive(me, into[me]);
    if (me == 1) send(&sides[me], message[me]);
  }
}

static void *other(void *unused) {
  for (uint32_t last = 0;;) {
    pthread_mutex_lock(&mutex);
    while (bout == last) pthread_cond_wait(&woken, &mutex);
    last = bout;
    pthread_mutex_unlock(&mutex);
    atomic_store(&ready, last);
    play(1);
  }
  return unused;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Nanoseconds that a bout takes; infinite if there was a rest in it. */
static double fight(void) {
  pthread_mutex_lock(&mutex);
  uint32_t mine = ++bout;
  pthread_cond_signal(&woken);
  pthread_mutex_unlock(&mutex);
  for (uint32_t looks = 0; atomic_load(&ready) != mine;) rest(&looks, 0);
  uint32_t before = rests;
  double start = now();
  play(0);
  double took = now() - start;
  return rests == before ? took : INFINITY;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  slots = (uint32_t)strtoul(argv[1], NULL, 10);
  Slot *memory = aligned_alloc(64, 2 * slots * sizeof(Slot));
  if (memory == NULL) return 1;
  memset(memory, 0, 2 * slots * sizeof(Slot));
  sides[0] = (Side){.sending = memory, .receiving = memory + slots};
  sides[1] = (Side){.sending = memory + slots, .receiving = memory};
  pthread_t thread;
  if (pthread_create(&thread, NULL, other, NULL) != 0) return 1;
  char operation[16];
  double milliseconds;
  while (scanf("%15s %lf", operation, &milliseconds) == 2) {
    if (strcmp(operation, "round-trip") != 0) return 2;
    double best = INFINITY, end = now() + milliseconds * 1e6;
    while (best == INFINITY || now() < end) {
      double took = fight();
      if (took < best) best = took;
    }
    printf("%.3f\n", best / BOUT);
    fflush(stdout);
  }
  return 0;
}
