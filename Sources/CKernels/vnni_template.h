// SPDX-License-Identifier: Apache-2.0
//
// Products with quantized weights by byte dot products into 32 bits, included once by each variant.
// The including file defines, under its target attribute,
//   VI, VF                 integer and float vectors of VR rows (a lane is a row; bytes 4 r ... 4 r + 3 are its 4 columns)
//   VR, PARTS              rows in a vector, 16 / VR vectors in a line
//   SIGNED_DOT             1 if the dot product takes signed quants, 0 if unsigned (then also vi_xor)
//   TILE_ROWS, VARIANT(x)  activation rows of the largest tile; the function name with the variant's suffix
//   vi_load vi_and vi_or vi_left vi_right (16-bit shifts) vi_bytes(b) vi_halves(h) vi_words(w) (set all)
//   vi_dot(sum, u, s)      sum + 4 products per lane
//   vi_madd vi_multiply vi_add vi_to_float
//   vi_bytes_u8 vi_bytes_i8(p)       VR bytes at p widened to 32 bits
//   vi_lookup(a)           the values of IQ4 quants, signed, or 128 more where the dot product takes unsigned ones
//   vf_f16(p)              VR half-precision numbers
//   vf_zero vf_all vf_times vf_plus_product(a, b, c) = a b + c, vf_minus_product = c - a b, vf_put

/// Unpacks line p, part h: the quants of chunk p and of chunk p + 4.
CK_INLINE void unpack_line(const int bits, const uint8_t *quants, int p, int h, VI *low, VI *high) {
    if (bits < 4) {
        const VI pair = vi_bytes(3);
        *low = vi_and(vi_right(vi_load(quants + 4 * VR * h), 2 * p), pair);
        *high = vi_and(vi_right(vi_load(quants + 4 * VR * h + 64), 2 * p), pair);
        if (bits == 3) {
            const VI third = vi_bytes(4);
            VI top = vi_load(quants + 4 * VR * h + 128);
            *low = vi_or(*low, vi_and(p < 2 ? vi_left(top, 2 - p) : vi_right(top, p - 2), third));
            *high = vi_or(*high, vi_and(vi_right(top, p + 2), third));
        }
        return;
    }
    const VI nibble = vi_bytes(15);
    const uint8_t *part = quants + 4 * VR * h;
    VI line = vi_load(part + 64 * p);
    *low = vi_and(line, nibble);
    *high = vi_and(vi_right(line, 4), nibble);
    if (bits == 5) {
        const VI fifth = vi_bytes(16);
        VI top = vi_load(part + 256);
        *low = vi_or(*low, vi_and(vi_left(top, 4 - p), fifth));
        *high = vi_or(*high, vi_and(vi_right(top, p), fifth));
    } else if (bits == 6) {
        const VI pair = vi_bytes(48);
        VI first = vi_load(part + 256), second = vi_load(part + 320);
        first = p < 2 ? vi_left(first, 4 - 2 * p) : vi_right(first, 2 * p - 4);
        second = p < 2 ? vi_left(second, 4 - 2 * p) : vi_right(second, 2 * p - 4);
        *low = vi_or(*low, vi_and(first, pair));
        *high = vi_or(*high, vi_and(second, pair));
    }
}

CK_INLINE int32_t load_word(const void *p) {
    int32_t word;
    memcpy(&word, p, 4);
    return word;
}

CK_INLINE int32_t load_half(const void *p) {
    int16_t half;
    memcpy(&half, p, 2);
    return half;
}

CK_INLINE void vnni_tile(const int slot, const int rows, const ck_layout *layout, const uint8_t *group,
                         const uint8_t *activations, size_t stride, float *out, size_t out_stride) {
    const int bits = ck_slot_bits(slot), kind = ck_slot_scale(slot);
    // Where the dot product takes unsigned quants, those of Q8_0 are moved up by 128, and the offset comes off through the
    // activation sums. The other quants are the same number either way.
    const int offset = (bits == 8 || ck_slot_is_table(slot)) && !SIGNED_DOT ? 128 : ck_slot_offset(slot);
    const bool split = ck_slot_is_split(slot);
    const size_t blocks = layout->blocks;
    const float *scales_a = ck_act_scales(activations, blocks), *sums_a = ck_act_sums(activations, blocks);
    const int16_t *halves_a = ck_act_halves(activations, blocks);
    VF acc[PARTS][TILE_ROWS];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int h = 0; h < PARTS; h++) acc[h][i] = vf_zero();
    const uint8_t *quants = group, *scales = group + layout->scales_offset;
    for (size_t b = 0; b < blocks; b++, quants += bits * 64, scales += layout->scale_bytes) {
        const uint8_t *super = group + layout->supers_offset + b / 8 * layout->super_bytes;
        if (rows == 1) {
            // The stream of quants runs on in the next group, behind this one's scales.
            const uint8_t *next = quants + CK_PREFETCH_BYTES / (bits * 64) * bits * 64;
            if (b + CK_PREFETCH_BYTES / (size_t)(bits * 64) >= blocks) next += layout->group_bytes - layout->scales_offset;
#pragma clang loop unroll(full)
            for (int l = 0; l < bits; l++) __builtin_prefetch(next + 64 * l, 0, 3);
            __builtin_prefetch(scales + layout->group_bytes, 0, 3);
        }
        VI low_sum[PARTS][TILE_ROWS], high_sum[PARTS][TILE_ROWS];  // columns 0-15 and 16-31, apart only for Q6_K
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            VI sums = vi_words(load_word((const uint8_t *)(halves_a + 2 * b) + (size_t)i * stride));
#pragma clang loop unroll(full)
            for (int h = 0; h < PARTS; h++) {
                if (kind == CK_SCALE_K6) {
                    const int32_t minus = -(1 << ck_slot_shift(slot));
                    low_sum[h][i] = vi_madd(sums, vi_words(minus & 0xffff));
                    high_sum[h][i] = vi_madd(sums, vi_words((int32_t)((uint32_t)minus << 16)));
                } else if (split) {
                    low_sum[h][i] = high_sum[h][i] = vi_words(0);
                } else {
                    low_sum[h][i] = offset == 0 ? vi_words(0) : vi_madd(sums, vi_halves((int16_t)-offset));
                }
            }
        }
#pragma clang loop unroll(full)
        for (int p = 0; p < 4; p++) {
            VI low[PARTS], high[PARTS];
#pragma clang loop unroll(full)
            for (int h = 0; h < PARTS; h++) {
                if (bits == 8) {
                    low[h] = vi_load(quants + 64 * p + 4 * VR * h);
                    high[h] = vi_load(quants + 64 * (p + 4) + 4 * VR * h);
#if !SIGNED_DOT
                    low[h] = vi_xor(low[h], vi_bytes((int8_t)-128));
                    high[h] = vi_xor(high[h], vi_bytes((int8_t)-128));
#endif
                } else {
                    unpack_line(bits, quants, p, h, &low[h], &high[h]);
                    if (ck_slot_is_table(slot)) {
                        low[h] = vi_lookup(low[h]);
                        high[h] = vi_lookup(high[h]);
                    }
                }
            }
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++) {
                const uint8_t *a = activations + (size_t)i * stride + b * 32 + 4 * p;
                VI a0 = vi_words(load_word(a)), a1 = vi_words(load_word(a + 16));
#pragma clang loop unroll(full)
                for (int h = 0; h < PARTS; h++) {
                    low_sum[h][i] = vi_dot(low_sum[h][i], low[h], a0);
                    if (split) high_sum[h][i] = vi_dot(high_sum[h][i], high[h], a1);
                    else low_sum[h][i] = vi_dot(low_sum[h][i], high[h], a1);
                }
            }
        }
#pragma clang loop unroll(full)
        for (int h = 0; h < PARTS; h++) {
            VF d = vf_f16((ck_slot_is_flat(slot) ? scales : super) + 2 * VR * h), min = d;
            VI first = vi_words(0), second = first, first_min = first, second_min = first;
            if (kind == CK_SCALE_DM) min = vf_f16(scales + 32 + 2 * VR * h);
            if (kind == CK_SCALE_K) {
                d = vf_times(d, vi_to_float(vi_bytes_u8(scales + VR * h)));
                min = vf_times(vf_f16(super + 32 + 2 * VR * h), vi_to_float(vi_bytes_u8(scales + 16 + VR * h)));
            }
            if (kind == CK_SCALE_KS) d = vf_times(d, vi_to_float(vi_bytes_i8(scales + VR * h)));
            if (split) vi_pairs_i8(scales + 2 * VR * h, &first, &second);
            if (kind == CK_SCALE_K2) {
                const VI nibble = vi_words(15);
                min = vf_f16(super + 32 + 2 * VR * h);
                first_min = vi_and(vi_right(first, 4), nibble);
                second_min = vi_and(vi_right(second, 4), nibble);
                first = vi_and(first, nibble);
                second = vi_and(second, nibble);
            }
#pragma clang loop unroll(full)
            for (int i = 0; i < rows; i++) {
                const size_t place = b * sizeof(float) + (size_t)i * stride;
                VI total = low_sum[h][i];
                if (split)
                    total = vi_add(vi_multiply(total, first), vi_multiply(high_sum[h][i], second));
                VF scale = vf_times(d, vf_all((const float *)(const void *)((const uint8_t *)scales_a + place)));
                acc[h][i] = vf_plus_product(vi_to_float(total), scale, acc[h][i]);
                VF sum = vf_all((const float *)(const void *)((const uint8_t *)sums_a + place));
                if (kind == CK_SCALE_DM) acc[h][i] = vf_plus_product(min, sum, acc[h][i]);
                if (kind == CK_SCALE_K) acc[h][i] = vf_minus_product(min, sum, acc[h][i]);
                if (kind == CK_SCALE_K2) {
                    const uint8_t *halves = (const uint8_t *)(halves_a + 2 * b) + (size_t)i * stride;
                    VI mins = vi_add(vi_multiply(first_min, vi_words(load_half(halves))),
                                     vi_multiply(second_min, vi_words(load_half(halves + 2))));
                    VF factor = vf_times(min, vf_all((const float *)(const void *)((const uint8_t *)scales_a + place)));
                    acc[h][i] = vf_minus_product(vi_to_float(mins), factor, acc[h][i]);
                }
            }
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int h = 0; h < PARTS; h++) vf_put(out + (size_t)i * out_stride + VR * h, acc[h][i]);
}

#define TILE(SLOT, ROWS, NAME)                                                                                        \
    static void NAME(const ck_layout *layout, const uint8_t *group, const uint8_t *activations, size_t stride,        \
                     float *out, size_t out_stride) {                                                                 \
        vnni_tile(SLOT, ROWS, layout, group, activations, stride, out, out_stride);                                   \
    }

#if TILE_ROWS == 8
#define TILES(SLOT, NAME)                                                                                             \
    TILE(SLOT, 1, VARIANT(ck_tile1_##NAME)) TILE(SLOT, 2, VARIANT(ck_tile2_##NAME))                                   \
    TILE(SLOT, 3, VARIANT(ck_tile3_##NAME)) TILE(SLOT, 4, VARIANT(ck_tile4_##NAME))                                   \
    TILE(SLOT, 5, VARIANT(ck_tile5_##NAME)) TILE(SLOT, 6, VARIANT(ck_tile6_##NAME))                                   \
    TILE(SLOT, 7, VARIANT(ck_tile7_##NAME)) TILE(SLOT, 8, VARIANT(ck_tile8_##NAME))                                   \
    static const ck_tile_function VARIANT(tiles_##NAME)[8] = {                                                        \
        VARIANT(ck_tile1_##NAME), VARIANT(ck_tile2_##NAME), VARIANT(ck_tile3_##NAME), VARIANT(ck_tile4_##NAME),       \
        VARIANT(ck_tile5_##NAME), VARIANT(ck_tile6_##NAME), VARIANT(ck_tile7_##NAME), VARIANT(ck_tile8_##NAME),       \
    };
#else
#define TILES(SLOT, NAME)                                                                                             \
    TILE(SLOT, 1, VARIANT(ck_tile1_##NAME)) TILE(SLOT, 2, VARIANT(ck_tile2_##NAME))                                   \
    TILE(SLOT, 3, VARIANT(ck_tile3_##NAME)) TILE(SLOT, 4, VARIANT(ck_tile4_##NAME))                                   \
    static const ck_tile_function VARIANT(tiles_##NAME)[4] = {                                                        \
        VARIANT(ck_tile1_##NAME), VARIANT(ck_tile2_##NAME), VARIANT(ck_tile3_##NAME), VARIANT(ck_tile4_##NAME),       \
    };
#endif

TILES(CK_SLOT_Q4_0, q4_0)
TILES(CK_SLOT_Q4_1, q4_1)
TILES(CK_SLOT_Q5_0, q5_0)
TILES(CK_SLOT_Q5_1, q5_1)
TILES(CK_SLOT_Q8_0, q8_0)
TILES(CK_SLOT_Q4_K, q4_k)
TILES(CK_SLOT_Q5_K, q5_k)
TILES(CK_SLOT_Q6_K, q6_k)
TILES(CK_SLOT_Q2_K, q2_k)
TILES(CK_SLOT_Q3_K, q3_k)
TILES(CK_SLOT_IQ4_NL, iq4_nl)
TILES(CK_SLOT_IQ4_XS, iq4_xs)

static void fill_tiles(ck_table *table) {
    const ck_tile_function *const tiles[CK_SLOTS] = {
        VARIANT(tiles_q4_0), VARIANT(tiles_q4_1), VARIANT(tiles_q5_0), VARIANT(tiles_q5_1),
        VARIANT(tiles_q8_0), VARIANT(tiles_q4_k), VARIANT(tiles_q5_k), VARIANT(tiles_q6_k),
        VARIANT(tiles_q2_k), VARIANT(tiles_q3_k), VARIANT(tiles_iq4_nl), VARIANT(tiles_iq4_xs),
    };
    for (int slot = 0; slot < CK_SLOTS; slot++) {
        table->tile_rows[slot] = TILE_ROWS;
        for (int i = 0; i < TILE_ROWS; i++) table->tile[slot][i] = tiles[slot][i];
    }
}
