// SPDX-License-Identifier: Apache-2.0
//
// Products with quantized weights on 256-bit VNNI without AVX-512 (AVX-VNNI).
#include "internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

CK_BEGIN_TARGET("avx2,fma,f16c,avxvnni")

typedef __m256i VI;
typedef __m256 VF;
#define VR 8
#define PARTS 2
#define TILE_ROWS 4
#define SIGNED_DOT 0
#define VARIANT(x) x##_avx_vnni

CK_INLINE VI vi_load(const uint8_t *p) { return _mm256_load_si256((const __m256i *)p); }
CK_INLINE VI vi_and(VI a, VI b) { return _mm256_and_si256(a, b); }
CK_INLINE VI vi_or(VI a, VI b) { return _mm256_or_si256(a, b); }
CK_INLINE VI vi_xor(VI a, VI b) { return _mm256_xor_si256(a, b); }
#define vi_left(a, n) _mm256_slli_epi16(a, n)
#define vi_right(a, n) _mm256_srli_epi16(a, n)
CK_INLINE VI vi_bytes(int8_t b) { return _mm256_set1_epi8(b); }
CK_INLINE VI vi_halves(int16_t h) { return _mm256_set1_epi16(h); }
CK_INLINE VI vi_words(int32_t w) { return _mm256_set1_epi32(w); }
CK_INLINE VI vi_dot(VI sum, VI u, VI s) { return _mm256_dpbusd_avx_epi32(sum, u, s); }
CK_INLINE VI vi_madd(VI a, VI b) { return _mm256_madd_epi16(a, b); }
CK_INLINE VI vi_multiply(VI a, VI b) { return _mm256_mullo_epi32(a, b); }
CK_INLINE VI vi_add(VI a, VI b) { return _mm256_add_epi32(a, b); }
CK_INLINE VF vi_to_float(VI a) { return _mm256_cvtepi32_ps(a); }
CK_INLINE VI vi_bytes_u8(const uint8_t *p) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)); }

CK_INLINE VI vi_bytes_i8(const uint8_t *p) { return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)); }

CK_INLINE VI vi_lookup(VI a) {
    const __m128i table = _mm_loadu_si128((const __m128i *)ck_iq4_raised);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), a);
}

/// Splits 8 pairs of signed bytes into two vectors of 32-bit numbers.
CK_INLINE void vi_pairs_i8(const uint8_t *p, VI *first, VI *second) {
    VI pairs = _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)p));
    *first = _mm256_srai_epi32(_mm256_slli_epi32(pairs, 24), 24);
    *second = _mm256_srai_epi32(pairs, 8);
}

CK_INLINE VF vf_f16(const uint8_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
CK_INLINE VF vf_zero(void) { return _mm256_setzero_ps(); }
CK_INLINE VF vf_all(const float *p) { return _mm256_set1_ps(*p); }
CK_INLINE VF vf_times(VF a, VF b) { return _mm256_mul_ps(a, b); }
CK_INLINE VF vf_plus_product(VF a, VF b, VF c) { return _mm256_fmadd_ps(a, b, c); }
CK_INLINE VF vf_minus_product(VF a, VF b, VF c) { return _mm256_fnmadd_ps(a, b, c); }
CK_INLINE void vf_put(float *p, VF v) { _mm256_storeu_ps(p, v); }

#include "vnni_template.h"

CK_END_TARGET

void ck_fill_avx_vnni(ck_table *table) { fill_tiles(table); }
#endif
