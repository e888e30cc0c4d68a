/* A libcrypto that misbehaves as a test tells it. It is linked with the real one, which does the rest. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <time.h>

enum { RIGHT, FAILS, FLIPS, LONG, BLOCKS, SLOW, SHORT, OPEN_BLOCKS, FREE_BLOCKS };

static volatile int mode = RIGHT;
static int calls, waiting, contexts, keys;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

void stub_mode(int m) {
	pthread_mutex_lock(&mutex);
	mode = m;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&mutex);
}

/* Waits until that many callers are blocked. */
void stub_blocked(int n) {
	pthread_mutex_lock(&mutex);
	while (waiting < n)
		pthread_cond_wait(&changed, &mutex);
	pthread_mutex_unlock(&mutex);
}

int stub_calls(void) { return __atomic_load_n(&calls, __ATOMIC_SEQ_CST); }
int stub_contexts(void) { return __atomic_load_n(&contexts, __ATOMIC_SEQ_CST); }
int stub_keys(void) { return __atomic_load_n(&keys, __ATOMIC_SEQ_CST); }

static void block(int while_mode) {
	pthread_mutex_lock(&mutex);
	waiting++;
	pthread_cond_broadcast(&changed);
	while (mode == while_mode)
		pthread_cond_wait(&changed, &mutex);
	waiting--;
	pthread_mutex_unlock(&mutex);
}

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

int EVP_PKEY_sign(void *ctx, unsigned char *sig, size_t *siglen, const unsigned char *tbs, size_t tbslen) {
	int (*sign)(void *, unsigned char *, size_t *, const unsigned char *, size_t) = real("EVP_PKEY_sign");
	__atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
	switch (mode) {
	case FAILS: {
		void (*put)(int, int, const char *, ...) = real("ERR_set_error");
		void (*new)(void) = real("ERR_new");
		for (int i = 0; i < 40; i++) { /* more than the queue holds */
			new();
			put(4, 68, NULL); /* rsa routines, internal */
		}
		return 0;
	}
	case BLOCKS:
		block(BLOCKS);
		break;
	case SLOW: {
		struct timespec now;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
		long long until = now.tv_sec * 1000000000LL + now.tv_nsec + 50000000;
		do
			clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
		while (now.tv_sec * 1000000000LL + now.tv_nsec < until);
		break;
	}
	}
	int ok = sign(ctx, sig, siglen, tbs, tbslen);
	if (mode == FLIPS || mode == FREE_BLOCKS)
		sig[7] ^= 1;
	if (mode == LONG)
		*siglen = 1 << 20;
	if (mode == SHORT)
		*siglen = 0;
	return ok;
}

void *EVP_PKEY_CTX_new_from_pkey(void *lib, void *key, const char *query) {
	void *(*new)(void *, void *, const char *) = real("EVP_PKEY_CTX_new_from_pkey");
	__atomic_add_fetch(&contexts, 1, __ATOMIC_SEQ_CST);
	return new(lib, key, query);
}

void EVP_PKEY_CTX_free(void *ctx) {
	void (*free)(void *) = real("EVP_PKEY_CTX_free");
	if (mode == FREE_BLOCKS)
		block(FREE_BLOCKS);
	__atomic_sub_fetch(&contexts, 1, __ATOMIC_SEQ_CST);
	free(ctx);
}

void *d2i_AutoPrivateKey(void **key, const unsigned char **der, long length) {
	void *(*parse)(void **, const unsigned char **, long) = real("d2i_AutoPrivateKey");
	if (mode == OPEN_BLOCKS)
		block(OPEN_BLOCKS);
	__atomic_add_fetch(&keys, 1, __ATOMIC_SEQ_CST);
	return parse(key, der, length);
}

void EVP_PKEY_free(void *key) {
	void (*free)(void *) = real("EVP_PKEY_free");
	__atomic_sub_fetch(&keys, 1, __ATOMIC_SEQ_CST);
	free(key);
}

void *OSSL_STORE_INFO_get1_PKEY(const void *info) {
	void *(*get)(const void *) = real("OSSL_STORE_INFO_get1_PKEY");
	__atomic_add_fetch(&keys, 1, __ATOMIC_SEQ_CST);
	return get(info);
}
