// SPDX-License-Identifier: Apache-2.0
//
// Takes the place of the compiler's <immintrin.h> when kernels are tested on a processor that lacks their instructions:
// the intrinsics come from SIMDe (Debian package libsimde-dev) as portable C. See README.md beside this file.
#ifndef KERNEL_EMULATION_IMMINTRIN_H
#define KERNEL_EMULATION_IMMINTRIN_H

#define SIMDE_ENABLE_NATIVE_ALIASES
#define SIMDE_NO_NATIVE
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>

// Intrinsics that SIMDe does not have, in terms of those it has.

#define EMULATED static inline __attribute__((always_inline, unused))

#define _mm256_dpbusd_avx_epi32(sum, u, s) simde_mm256_dpbusd_epi32(sum, u, s)

EMULATED __m512i emulated_join(__m256i low, __m256i high) {
    return simde_mm512_inserti64x4(simde_mm512_castsi256_si512(low), high, 1);
}

EMULATED __m512 emulated_join_ps(__m256 low, __m256 high) {
    __m512 v = simde_mm512_setzero_ps();
    ((__m256 *)&v)[0] = low;
    ((__m256 *)&v)[1] = high;
    return v;
}

EMULATED __m512i emulated_mm512_srai_epi32(__m512i a, int count) {
    for (int i = 0; i < 16; i++) ((int32_t *)&a)[i] >>= count;
    return a;
}
#define _mm512_srai_epi32 emulated_mm512_srai_epi32

// SIMDe wants the counts of these as literals.
EMULATED __m512i emulated_mm512_slli_epi16(__m512i a, unsigned count) {
    return simde_mm512_sll_epi16(a, simde_mm_cvtsi32_si128((int)count));
}
#undef _mm512_slli_epi16
#define _mm512_slli_epi16 emulated_mm512_slli_epi16

EMULATED __m512i emulated_mm512_srli_epi16(__m512i a, unsigned count) {
    return simde_mm512_srl_epi16(a, simde_mm_cvtsi32_si128((int)count));
}
#undef _mm512_srli_epi16
#define _mm512_srli_epi16 emulated_mm512_srli_epi16

#undef _mm512_madd_epi16
#define _mm512_madd_epi16 simde_mm512_madd_epi16

#ifndef _MM_FROUND_NO_EXC
#define _MM_FROUND_NO_EXC 8
#endif

EMULATED __m512i emulated_mm512_cvtepu8_epi32(__m128i a) {
    return emulated_join(simde_mm256_cvtepu8_epi32(a), simde_mm256_cvtepu8_epi32(simde_mm_srli_si128(a, 8)));
}
#define _mm512_cvtepu8_epi32 emulated_mm512_cvtepu8_epi32

EMULATED __m512i emulated_mm512_cvtepi8_epi32(__m128i a) {
    return emulated_join(simde_mm256_cvtepi8_epi32(a), simde_mm256_cvtepi8_epi32(simde_mm_srli_si128(a, 8)));
}
#define _mm512_cvtepi8_epi32 emulated_mm512_cvtepi8_epi32

EMULATED __m512i emulated_mm512_cvtepi16_epi32(__m256i a) {
    return emulated_join(simde_mm256_cvtepi16_epi32(simde_mm256_castsi256_si128(a)),
                         simde_mm256_cvtepi16_epi32(simde_mm256_extracti128_si256(a, 1)));
}
#define _mm512_cvtepi16_epi32 emulated_mm512_cvtepi16_epi32

EMULATED __m512i emulated_mm512_cvtepu16_epi32(__m256i a) {
    return emulated_join(simde_mm256_cvtepu16_epi32(simde_mm256_castsi256_si128(a)),
                         simde_mm256_cvtepu16_epi32(simde_mm256_extracti128_si256(a, 1)));
}
#define _mm512_cvtepu16_epi32 emulated_mm512_cvtepu16_epi32

EMULATED __m512 emulated_mm512_cvtepi32_ps(__m512i a) {
    return emulated_join_ps(simde_mm256_cvtepi32_ps(((__m256i *)&a)[0]), simde_mm256_cvtepi32_ps(((__m256i *)&a)[1]));
}
#define _mm512_cvtepi32_ps emulated_mm512_cvtepi32_ps

EMULATED __m512 emulated_mm512_cvtph_ps(__m256i a) {
    return emulated_join_ps(simde_mm256_cvtph_ps(simde_mm256_castsi256_si128(a)),
                            simde_mm256_cvtph_ps(simde_mm256_extracti128_si256(a, 1)));
}
#define _mm512_cvtph_ps emulated_mm512_cvtph_ps

#define _mm512_cvtps_ph(a, rounding) emulated_mm512_cvtps_ph(a)
EMULATED __m256i emulated_mm512_cvtps_ph(__m512 a) {
    __m256i v;
    ((__m128i *)&v)[0] = simde_mm256_cvtps_ph(((__m256 *)&a)[0], 0);
    ((__m128i *)&v)[1] = simde_mm256_cvtps_ph(((__m256 *)&a)[1], 0);
    return v;
}

#endif
