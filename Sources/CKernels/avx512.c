// SPDX-License-Identifier: Apache-2.0
//
// Products with quantized weights on AVX-512 with VNNI.
#include "internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

CK_BEGIN_TARGET("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512vnni")

typedef __m512i VI;
typedef __m512 VF;
#define VR 16
#define PARTS 1
#define TILE_ROWS 8
#define SIGNED_DOT 0
#define VARIANT(x) x##_avx512

// Groups start at multiples of 64 bytes, and so do all lines.
CK_INLINE VI vi_load(const uint8_t *p) { return _mm512_load_si512((const void *)p); }
CK_INLINE VI vi_and(VI a, VI b) { return _mm512_and_si512(a, b); }
CK_INLINE VI vi_or(VI a, VI b) { return _mm512_or_si512(a, b); }
CK_INLINE VI vi_xor(VI a, VI b) { return _mm512_xor_si512(a, b); }
#define vi_left(a, n) _mm512_slli_epi16(a, (unsigned)(n))
#define vi_right(a, n) _mm512_srli_epi16(a, (unsigned)(n))
CK_INLINE VI vi_bytes(int8_t b) { return _mm512_set1_epi8(b); }
CK_INLINE VI vi_halves(int16_t h) { return _mm512_set1_epi16(h); }
CK_INLINE VI vi_words(int32_t w) { return _mm512_set1_epi32(w); }
CK_INLINE VI vi_dot(VI sum, VI u, VI s) { return _mm512_dpbusd_epi32(sum, u, s); }
CK_INLINE VI vi_madd(VI a, VI b) { return _mm512_madd_epi16(a, b); }
CK_INLINE VI vi_multiply(VI a, VI b) { return _mm512_mullo_epi32(a, b); }
CK_INLINE VI vi_add(VI a, VI b) { return _mm512_add_epi32(a, b); }
CK_INLINE VF vi_to_float(VI a) { return _mm512_cvtepi32_ps(a); }
CK_INLINE VI vi_bytes_u8(const uint8_t *p) { return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)); }

CK_INLINE VI vi_bytes_i8(const uint8_t *p) { return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)); }

CK_INLINE VI vi_lookup(VI a) {
    const __m128i table = _mm_loadu_si128((const __m128i *)ck_iq4_raised);
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), a);
}

/// Splits 16 pairs of signed bytes into two vectors of 32-bit numbers.
CK_INLINE void vi_pairs_i8(const uint8_t *p, VI *first, VI *second) {
    VI pairs = _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)p));
    *first = _mm512_srai_epi32(_mm512_slli_epi32(pairs, 24), 24);
    *second = _mm512_srai_epi32(pairs, 8);
}

CK_INLINE VF vf_f16(const uint8_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
CK_INLINE VF vf_zero(void) { return _mm512_setzero_ps(); }
CK_INLINE VF vf_all(const float *p) { return _mm512_set1_ps(*p); }
CK_INLINE VF vf_times(VF a, VF b) { return _mm512_mul_ps(a, b); }
CK_INLINE VF vf_plus_product(VF a, VF b, VF c) { return _mm512_fmadd_ps(a, b, c); }
CK_INLINE VF vf_minus_product(VF a, VF b, VF c) { return _mm512_fnmadd_ps(a, b, c); }
CK_INLINE void vf_put(float *p, VF v) { _mm512_storeu_ps(p, v); }

#include "vnni_template.h"

CK_END_TARGET

void ck_fill_avx512(ck_table *table) { fill_tiles(table); }
#endif
