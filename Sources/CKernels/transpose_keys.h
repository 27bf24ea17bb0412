// SPDX-License-Identifier: Apache-2.0
//
// Expansion of a block of keys for blocked attention, with AVX2. The including file defines load_keys: 8 elements of the
// cache as floats.

CK_INLINE float cache_element(const bool is_f16, const void *cache, size_t element);

/// keys[e * CK_KEY_BLOCK + j] = element e of key begin + j; zero for count <= j < padded.
CK_INLINE void transpose_keys(const ck_attention *a, const bool is_f16, size_t begin, size_t count, size_t padded,
                              float *keys) {
    for (size_t j = 0; j < padded; j += 8) {
        size_t e = 0;
        if (j + 8 <= count) {
            for (; e + 8 <= a->head_size; e += 8) {
                __m256 r[8], t[8];
                for (size_t i = 0; i < 8; i++) r[i] = load_keys(is_f16, a->k, (begin + j + i) * a->kv_stride + e);
                for (size_t i = 0; i < 8; i += 2) {
                    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
                    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
                }
                for (size_t i = 0; i < 8; i += 4) {
                    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
                    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
                    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
                    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
                }
                for (size_t i = 0; i < 4; i++) {
                    float *column = keys + (e + i) * CK_KEY_BLOCK + j;
                    _mm256_storeu_ps(column, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
                    _mm256_storeu_ps(column + 4 * CK_KEY_BLOCK, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
                }
            }
        }
        for (; e < a->head_size; e++)
            for (size_t i = j; i < j + 8; i++)
                keys[e * CK_KEY_BLOCK + i]
                    = i < count ? cache_element(is_f16, a->k, (begin + i) * a->kv_stride + e) : 0;
    }
}
