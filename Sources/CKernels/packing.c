// SPDX-License-Identifier: Apache-2.0
//
// Packs file rows into interleaved groups (the layout is described in internal.h) and expands packed rows.
#include "internal.h"

#pragma STDC FP_CONTRACT OFF

int ck_slot(ck_format format) {
    switch (format) {
    case CK_Q4_0: return CK_SLOT_Q4_0;
    case CK_Q4_1: return CK_SLOT_Q4_1;
    case CK_Q5_0: return CK_SLOT_Q5_0;
    case CK_Q5_1: return CK_SLOT_Q5_1;
    case CK_Q8_0: return CK_SLOT_Q8_0;
    case CK_Q4_K: return CK_SLOT_Q4_K;
    case CK_Q5_K: return CK_SLOT_Q5_K;
    case CK_Q6_K: return CK_SLOT_Q6_K;
    case CK_Q2_K: return CK_SLOT_Q2_K;
    case CK_Q3_K: return CK_SLOT_Q3_K;
    case CK_IQ4_NL: return CK_SLOT_IQ4_NL;
    case CK_IQ4_XS: return CK_SLOT_IQ4_XS;
    default: return -1;
    }
}

ck_layout ck_layout_for(int slot, size_t k) {
    static const uint8_t scale_bytes[] = {32, 64, 32, 32, 32, 16}, super_bytes[] = {0, 0, 64, 32, 64, 32};
    int bits = ck_slot_bits(slot), scale = ck_slot_scale(slot);
    ck_layout layout;
    layout.blocks = k / 32;
    layout.quant_bytes = (size_t)bits * 64;
    layout.scale_bytes = scale_bytes[scale];
    layout.super_bytes = super_bytes[scale];
    layout.scales_offset = layout.blocks * layout.quant_bytes;
    layout.supers_offset = layout.scales_offset + layout.blocks * layout.scale_bytes;
    layout.group_bytes = (layout.supers_offset + layout.blocks / 8 * layout.super_bytes + 63) / 64 * 64;
    return layout;
}

size_t ck_packed_bytes(ck_format format, size_t n, size_t k) {
    int slot = ck_slot(format);
    if (slot < 0 || ck_row_bytes(format, k) == 0 || k > SIZE_MAX / 1024 || n > SIZE_MAX - 15) return 0;
    size_t bytes;
    return __builtin_mul_overflow((n + 15) / 16, ck_layout_for(slot, k).group_bytes, &bytes) ? 0 : bytes;
}

size_t ck_packed_offset(ck_format format, size_t row, size_t k) {
    int slot = ck_slot(format);
    return slot < 0 ? 0 : row / 16 * ck_layout_for(slot, k).group_bytes;
}

CK_INLINE uint32_t load32(const uint8_t *p) {
    uint32_t word;
    memcpy(&word, p, 4);
    return word;
}

/// Spreads the fifth bits of columns 0 ... 31 (bit i of `bits`) so that bit c of byte j is that of column 4 c + j.
CK_INLINE uint32_t spread_fifth_bits(uint32_t bits) {
    uint32_t word = 0;
    for (int j = 0; j < 4; j++) {
        uint32_t x = bits >> j & 0x11111111;
        x = (x | x >> 3) & 0x03030303;
        x = (x | x >> 6) & 0x000f000f;
        x = (x | x >> 12) & 0xff;
        word |= x << (8 * j);
    }
    return word;
}

/// Nibbles of 32 consecutive bytes (low ones if shift is 0, high ones if it is 4), paired as the lines want them.
CK_INLINE void pair_nibbles(const uint8_t *bytes, int shift, uint32_t *words) {
    for (int p = 0; p < 4; p++) {
        uint32_t low = load32(bytes + 4 * p) >> shift & 0x0f0f0f0f;
        uint32_t high = load32(bytes + 16 + 4 * p) >> shift & 0x0f0f0f0f;
        words[p] = low | high << 4;
    }
}

/// Bits `shift` and `shift + 1` of 32 consecutive bytes, four bytes' together as the lines want them.
CK_INLINE void gather_pairs(const uint8_t *bytes, int shift, uint32_t *words) {
    words[0] = words[1] = 0;
    for (int c = 0; c < 8; c++) words[c / 4] |= (load32(bytes + 4 * c) >> shift & 0x03030303) << (c % 4 * 2);
}

/// Bit `shift` of 32 consecutive bytes, eight bytes' together as the lines want them.
CK_INLINE uint32_t gather_bits(const uint8_t *bytes, int shift) {
    uint32_t word = 0;
    for (int c = 0; c < 8; c++) word |= (load32(bytes + 4 * c) >> shift & 0x01010101) << c;
    return word;
}

/// Writes row r of one file block (32 or 256 columns) into the group at block index b.
CK_INLINE void pack_block(int slot, const uint8_t *source, const ck_layout *layout, uint8_t *group, size_t b, size_t r) {
    uint8_t *quants = group + b * layout->quant_bytes + 4 * r;
    uint8_t *scales = group + layout->scales_offset + b * layout->scale_bytes;
    uint8_t *super = group + layout->supers_offset + b / 8 * layout->super_bytes;
    uint32_t words[8];
    switch (slot) {
    case CK_SLOT_Q4_0: case CK_SLOT_Q4_1: case CK_SLOT_Q5_0: case CK_SLOT_Q5_1: case CK_SLOT_IQ4_NL: {
        // The file pairs columns i and i + 16 in a byte: exactly what the lines hold.
        size_t head = ck_slot_scale(slot) == CK_SCALE_DM ? 4 : 2;
        memcpy(scales + 2 * r, source, 2);
        if (head == 4) memcpy(scales + 32 + 2 * r, source + 2, 2);
        if (ck_slot_bits(slot) == 5) {
            words[4] = spread_fifth_bits(load32(source + head));
            memcpy(quants + 256, &words[4], 4);
            head += 4;
        }
        for (size_t p = 0; p < 4; p++) memcpy(quants + 64 * p, source + head + 4 * p, 4);
        break;
    }
    case CK_SLOT_Q8_0:
        memcpy(scales + 2 * r, source, 2);
        for (size_t p = 0; p < 8; p++) memcpy(quants + 64 * p, source + 2 + 4 * p, 4);
        break;
    case CK_SLOT_Q4_K: case CK_SLOT_Q5_K: {
        const uint8_t *high = source + 16, *low = slot == CK_SLOT_Q5_K ? source + 48 : source + 16;
        memcpy(super + 2 * r, source, 2);
        memcpy(super + 32 + 2 * r, source + 2, 2);
        for (int j = 0; j < 8; j++) {
            ck_k_scale(source + 4, j, scales + r, scales + 16 + r);
            pair_nibbles(low + j / 2 * 32, j % 2 * 4, words);
            for (int p = 0; p < 4; p++) memcpy(quants + 64 * p, &words[p], 4);
            if (slot == CK_SLOT_Q5_K) {
                uint32_t word = gather_bits(high, j);
                memcpy(quants + 256, &word, 4);
            }
            quants += layout->quant_bytes;
            scales += layout->scale_bytes;
        }
        break;
    }
    case CK_SLOT_Q6_K:
        memcpy(super + 2 * r, source + 208, 2);
        for (int j = 0; j < 8; j++) {
            int quarter = j % 4;
            memcpy(scales + 2 * r, source + 192 + 2 * j, 2);
            pair_nibbles(source + j / 4 * 64 + quarter % 2 * 32, quarter / 2 * 4, words);
            gather_pairs(source + 128 + j / 4 * 32, 2 * quarter, words + 4);
            for (int p = 0; p < 6; p++) memcpy(quants + 64 * p, &words[p], 4);
            quants += layout->quant_bytes;
            scales += layout->scale_bytes;
        }
        break;
    case CK_SLOT_Q2_K: case CK_SLOT_Q3_K: {
        const uint8_t *low = slot == CK_SLOT_Q2_K ? source + 16 : source + 32;
        memcpy(super + 2 * r, slot == CK_SLOT_Q2_K ? source + 80 : source + 108, 2);
        if (slot == CK_SLOT_Q2_K) memcpy(super + 32 + 2 * r, source + 82, 2);
        for (int j = 0; j < 8; j++) {
            gather_pairs(low + j / 4 * 32, j % 4 * 2, words);
            memcpy(quants, &words[0], 4);
            memcpy(quants + 64, &words[1], 4);
            if (slot == CK_SLOT_Q3_K) {
                words[2] = gather_bits(source, j);
                memcpy(quants + 128, &words[2], 4);
                for (int s = 0; s < 2; s++) scales[2 * r + (size_t)s] = (uint8_t)ck_q3_scale(source + 96, 2 * j + s);
            } else {
                memcpy(scales + 2 * r, source + 2 * j, 2);
            }
            quants += layout->quant_bytes;
            scales += layout->scale_bytes;
        }
        break;
    }
    case CK_SLOT_IQ4_XS: {
        uint16_t high;
        memcpy(super + 2 * r, source, 2);
        memcpy(&high, source + 2, 2);
        for (int j = 0; j < 8; j++) {
            scales[r] = (uint8_t)ck_iq4_scale(high, source + 4, j);
            for (int p = 0; p < 4; p++) memcpy(quants + 64 * p, source + 8 + 16 * j + 4 * p, 4);
            quants += layout->quant_bytes;
            scales += layout->scale_bytes;
        }
        break;
    }
    default: break;
    }
}

CK_INLINE void pack_rows(int slot, const uint8_t *source, size_t row_bytes, size_t block_bytes, size_t blocks_per_source,
                         const ck_layout *layout, size_t first_row, size_t row_count, uint8_t *packed) {
    for (size_t row = 0; row < row_count; row += 16) {
        uint8_t *group = packed + (first_row + row) / 16 * layout->group_bytes;
        size_t count = row_count - row < 16 ? row_count - row : 16;
        size_t used = layout->supers_offset + layout->blocks / 8 * layout->super_bytes;
        if (count < 16) memset(group, 0, layout->group_bytes);
        else memset(group + used, 0, layout->group_bytes - used);
        for (size_t b = 0, s = 0; b < layout->blocks; b += blocks_per_source, s++)
            for (size_t r = 0; r < count; r++)
                pack_block(slot, source + (row + r) * row_bytes + s * block_bytes, layout, group, b, r);
    }
}

void ck_pack_rows(ck_format format, const void *source, size_t n, size_t k, size_t first_row, size_t row_count,
                  void *packed) {
    int slot = ck_slot(format);
    if (slot < 0 || k == 0 || first_row >= n) return;
    ck_layout layout = ck_layout_for(slot, k);
    size_t bytes = ck_row_bytes(format, k);
    switch (slot) {
#define CASE(SLOT, BLOCK, COUNT)                                                                                      \
    case SLOT: pack_rows(SLOT, source, bytes, sizeof(BLOCK), COUNT, &layout, first_row, row_count, packed); break;
    CASE(CK_SLOT_Q4_0, ck_block_q4_0, 1)
    CASE(CK_SLOT_Q4_1, ck_block_q4_1, 1)
    CASE(CK_SLOT_Q5_0, ck_block_q5_0, 1)
    CASE(CK_SLOT_Q5_1, ck_block_q5_1, 1)
    CASE(CK_SLOT_Q8_0, ck_block_q8_0, 1)
    CASE(CK_SLOT_Q4_K, ck_block_q4_k, 8)
    CASE(CK_SLOT_Q5_K, ck_block_q5_k, 8)
    CASE(CK_SLOT_Q6_K, ck_block_q6_k, 8)
    CASE(CK_SLOT_Q2_K, ck_block_q2_k, 8)
    CASE(CK_SLOT_Q3_K, ck_block_q3_k, 8)
    CASE(CK_SLOT_IQ4_NL, ck_block_iq4_nl, 1)
    CASE(CK_SLOT_IQ4_XS, ck_block_iq4_xs, 8)
#undef CASE
    default: break;
    }
}

void ck_dequantize_packed_row(ck_format format, const void *packed, size_t k, size_t row, float *destination) {
    int slot = ck_slot(format);
    if (slot < 0) return;
    ck_layout layout = ck_layout_for(slot, k);
    const uint8_t *group = (const uint8_t *)packed + row / 16 * layout.group_bytes;
    size_t r = row % 16;
    int bits = ck_slot_bits(slot);
    for (size_t b = 0; b < layout.blocks; b++) {
        const uint8_t *quants = group + b * layout.quant_bytes + 4 * r;
        const uint8_t *scales = group + layout.scales_offset + b * layout.scale_bytes;
        const uint16_t *halves = (const uint16_t *)scales;
        const uint16_t *super = (const uint16_t *)(group + layout.supers_offset + b / 8 * layout.super_bytes);
        for (int i = 0; i < 32; i++) {
            int c = i / 4, j = i % 4, q;
            if (bits == 8) {
                q = (int8_t)quants[64 * c + j];
            } else if (bits < 4) {
                q = quants[64 * (c / 4) + j] >> (c % 4 * 2) & 3;
                if (bits == 3) q |= (quants[128 + j] >> c & 1) << 2;
            } else {
                q = quants[64 * (c % 4) + j] >> (c / 4 * 4) & 15;
                if (bits == 5) q |= (quants[256 + j] >> c & 1) << 4;
                if (bits == 6) q |= (quants[256 + c / 4 * 64 + j] >> (c % 4 * 2) & 3) << 4;
            }
            if (ck_slot_is_table(slot)) q = ck_iq4_values[q];
            float value;
            switch (ck_slot_scale(slot)) {
            case CK_SCALE_D: value = ck_float_from_f16(halves[r]) * (float)(q - ck_slot_offset(slot)); break;
            case CK_SCALE_DM:
                value = ck_float_from_f16(halves[r]) * (float)q + ck_float_from_f16(halves[16 + r]);
                break;
            case CK_SCALE_K:
                value = ck_float_from_f16(super[r]) * (float)scales[r] * (float)q
                    - ck_float_from_f16(super[16 + r]) * (float)scales[16 + r];
                break;
            case CK_SCALE_K2:
                value = ck_float_from_f16(super[r]) * (float)(scales[2 * r + i / 16] & 15) * (float)q
                    - ck_float_from_f16(super[16 + r]) * (float)(scales[2 * r + i / 16] >> 4);
                break;
            case CK_SCALE_KS:
                value = ck_float_from_f16(super[r]) * (float)(int8_t)scales[r] * (float)q;
                break;
            default:
                value = ck_float_from_f16(super[r]) * (float)(int8_t)scales[2 * r + i / 16]
                    * (float)(q - (1 << ck_slot_shift(slot)));
            }
            destination[b * 32 + (size_t)i] = value;
        }
    }
}
