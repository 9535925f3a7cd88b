//! Kernels: the products of bytes with 16-bit integers, as each processor computes them best.
//!
//! Every kernel gives the sums of [`portable`].
#![expect(
    unsafe_code,
    reason = "instructions a processor may lack are called after asking it, and registers are \
              read from and written to arrays of the same size"
)]

use super::linear::{Block, Kernel, PANEL, Step, TILE};

/// The quickest kernel of this machine.
pub(crate) fn kernel() -> Kernel {
    machine::kernels().next().map_or(portable, |(_, kernel)| kernel)
}

/// All kernels that this machine can run, by name, the quickest first.
#[cfg(test)]
pub(super) fn kernels() -> impl Iterator<Item = (&'static str, Kernel)> {
    machine::kernels().chain([("portable", portable as Kernel)])
}

/// Plain Rust, of which the compiler makes the lanes that every processor of a target has.
pub(super) fn portable(panel: &[Block], tile: &[Step], sums: &mut [[i32; PANEL]]) {
    by_height::<Portable>(panel, tile, sums);
}

type Sums<const ROWS: usize> = [[i32; PANEL]; ROWS];

/// A kernel for each height of a tile, so that the sums stay in registers.
trait Multiply {
    fn multiply<const ROWS: usize>(panel: &[Block], tile: &[[Step; ROWS]]) -> Sums<ROWS>;
}

fn by_height<M: Multiply>(panel: &[Block], tile: &[Step], sums: &mut [[i32; PANEL]]) {
    fn at<M: Multiply, const ROWS: usize>(
        panel: &[Block],
        tile: &[Step],
        sums: &mut [[i32; PANEL]],
    ) {
        sums.copy_from_slice(&M::multiply(panel, tile.as_chunks::<ROWS>().0));
    }
    match sums.len() {
        1 => at::<M, 1>(panel, tile, sums),
        2 => at::<M, 2>(panel, tile, sums),
        3 => at::<M, 3>(panel, tile, sums),
        4 => at::<M, 4>(panel, tile, sums),
        5 => at::<M, 5>(panel, tile, sums),
        _ => at::<M, TILE>(panel, tile, sums),
    }
}

struct Portable;

impl Multiply for Portable {
    fn multiply<const ROWS: usize>(panel: &[Block], tile: &[[Step; ROWS]]) -> Sums<ROWS> {
        let mut sums = [[0; PANEL]; ROWS];
        for (block, rows) in panel.iter().zip(tile) {
            for (sums, row) in sums.iter_mut().zip(rows) {
                for (sum, weights) in sums.iter_mut().zip(block) {
                    let weights = weights.map(|it| i16::from(it as i8));
                    let products =
                        weights.iter().zip(row).map(|(a, b)| i32::from(*a) * i32::from(*b));
                    *sum += products.sum::<i32>();
                }
            }
        }
        sums
    }
}

#[cfg(target_arch = "x86_64")]
mod machine {
    use std::{arch::x86_64::*, mem::transmute};

    use super::{Block, Kernel, Multiply, PANEL, Step, Sums, by_height};

    pub(super) fn kernels() -> impl Iterator<Item = (&'static str, Kernel)> {
        let avx512 = is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512vnni");
        let avx512 = avx512.then_some(("AVX-512", by_height::<Avx512> as Kernel));
        let avx2 = is_x86_feature_detected!("avx2");
        let avx2 = avx2.then_some(("AVX2", by_height::<Avx2> as Kernel));
        avx512.into_iter().chain(avx2).chain([("SSE2", by_height::<Sse2> as Kernel)])
    }

    /// Named only where the processor said that it has AVX-512 BW and VNNI.
    struct Avx512;

    impl Multiply for Avx512 {
        fn multiply<const ROWS: usize>(panel: &[Block], tile: &[[Step; ROWS]]) -> Sums<ROWS> {
            // SAFETY: see the type.
            unsafe { avx512(panel, tile) }
        }
    }

    #[target_feature(enable = "avx512bw,avx512vnni")]
    fn avx512<const ROWS: usize>(panel: &[Block], tile: &[[Step; ROWS]]) -> Sums<ROWS> {
        // Four outputs a register, four parts of each one's sum.
        let mut sums = [[_mm512_setzero_si512(); 4]; ROWS];
        for (block, rows) in panel.iter().zip(tile) {
            // SAFETY: both are 128 bytes, of any value.
            let bytes = unsafe { transmute::<Block, [__m256i; 4]>(*block) };
            let weights = bytes.map(|it| _mm512_cvtepi8_epi16(it));
            for (sums, row) in sums.iter_mut().zip(rows) {
                // SAFETY: both are 16 bytes, of any value.
                let row = _mm512_broadcast_i32x4(unsafe { transmute::<Step, __m128i>(*row) });
                for (sum, weights) in sums.iter_mut().zip(weights) {
                    *sum = _mm512_dpwssd_epi32(*sum, weights, row);
                }
            }
        }
        let in_order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        sums.map(|[a, b, c, d]| {
            let add_pairs =
                |a, b| _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
            let (ab, cd) = (add_pairs(a, b), add_pairs(c, d));
            let sums =
                _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
            let sums = _mm512_permutexvar_epi32(in_order, sums);
            // SAFETY: both are 64 bytes, of any value.
            unsafe { transmute::<__m512i, [i32; PANEL]>(sums) }
        })
    }

    /// Named only where the processor said that it has AVX2.
    struct Avx2;

    impl Multiply for Avx2 {
        fn multiply<const ROWS: usize>(panel: &[Block], tile: &[[Step; ROWS]]) -> Sums<ROWS> {
            // SAFETY: see the type.
            unsafe { avx2(panel, tile) }
        }
    }

    #[target_feature(enable = "avx2")]
    fn avx2<const ROWS: usize>(panel: &[Block], tile: &[[Step; ROWS]]) -> Sums<ROWS> {
        let mut result = [[0; PANEL]; ROWS];
        // Four outputs after the other, two a register: the sums of more do not fit in 16 registers.
        for part in 0..PANEL / 4 {
            let mut sums = [[_mm256_setzero_si256(); 2]; ROWS];
            for (block, rows) in panel.iter().zip(tile) {
                let block = block.as_chunks::<4>().0[part];
                // SAFETY: both are 32 bytes, of any value.
                let bytes = unsafe { transmute::<[[u8; 8]; 4], [__m128i; 2]>(block) };
                let weights = bytes.map(|it| _mm256_cvtepi8_epi16(it));
                for (sums, row) in sums.iter_mut().zip(rows) {
                    // SAFETY: both are 16 bytes, of any value.
                    let row =
                        _mm256_broadcastsi128_si256(unsafe { transmute::<Step, __m128i>(*row) });
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(weights, row));
                    }
                }
            }
            for (result, [a, b]) in result.iter_mut().zip(sums) {
                let sums = _mm256_hadd_epi32(a, b);
                let sums = _mm256_hadd_epi32(sums, sums);
                let (even, odd) =
                    (_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
                // SAFETY: both are 16 bytes, of any value.
                let sums = unsafe { transmute::<__m128i, [i32; 4]>(_mm_unpacklo_epi32(even, odd)) };
                result.as_chunks_mut().0[part] = sums;
            }
        }
        result
    }

    struct Sse2;

    impl Multiply for Sse2 {
        fn multiply<const ROWS: usize>(panel: &[Block], tile: &[[Step; ROWS]]) -> Sums<ROWS> {
            // SAFETY: every processor of this target has SSE2.
            unsafe { sse2(panel, tile) }
        }
    }

    #[target_feature(enable = "sse2")]
    fn sse2<const ROWS: usize>(panel: &[Block], tile: &[[Step; ROWS]]) -> Sums<ROWS> {
        let mut result = [[0; PANEL]; ROWS];
        // Two outputs after the other: the sums of more do not fit in 16 registers.
        for part in 0..PANEL / 2 {
            let mut sums = [[_mm_setzero_si128(); 2]; ROWS];
            for (block, rows) in panel.iter().zip(tile) {
                let block = block.as_chunks::<2>().0[part];
                // SAFETY: both are 16 bytes, of any value.
                let bytes = unsafe { transmute::<[[u8; 8]; 2], __m128i>(block) };
                let weights = [_mm_unpacklo_epi8(bytes, bytes), _mm_unpackhi_epi8(bytes, bytes)];
                let weights = weights.map(|it| _mm_srai_epi16::<8>(it));
                for (sums, row) in sums.iter_mut().zip(rows) {
                    // SAFETY: both are 16 bytes, of any value.
                    let row = unsafe { transmute::<Step, __m128i>(*row) };
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        *sum = _mm_add_epi32(*sum, _mm_madd_epi16(weights, row));
                    }
                }
            }
            for (result, sums) in result.iter_mut().zip(sums) {
                // SAFETY: both are 32 bytes, of any value.
                let sums = unsafe { transmute::<[__m128i; 2], [[i32; 4]; 2]>(sums) };
                result.as_chunks_mut().0[part] = sums.map(|it| it.iter().sum());
            }
        }
        result
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod machine {
    use std::{arch::wasm32::*, mem::transmute};

    use super::{Block, Kernel, Multiply, PANEL, Step, Sums, by_height};

    pub(super) fn kernels() -> impl Iterator<Item = (&'static str, Kernel)> {
        [("simd128", by_height::<Simd128> as Kernel)].into_iter()
    }

    struct Simd128;

    impl Multiply for Simd128 {
        fn multiply<const ROWS: usize>(panel: &[Block], tile: &[[Step; ROWS]]) -> Sums<ROWS> {
            let mut result = [[0; PANEL]; ROWS];
            // Two outputs after the other: the sums of more do not fit in 16 registers.
            for part in 0..PANEL / 2 {
                let mut sums = [[i32x4_splat(0); 2]; ROWS];
                // Two blocks at once: at each turn of a loop the runtime looks whether to interrupt
                // the guest, and for that keeps all sums in memory.
                let blocks = panel.as_chunks::<2>().0.iter().zip(tile.as_chunks::<2>().0);
                for (blocks, rows) in blocks {
                    for (block, rows) in blocks.iter().zip(rows) {
                        let weights = widen(block, part);
                        for (sums, row) in sums.iter_mut().zip(rows) {
                            // SAFETY: both are 16 bytes, of any value.
                            let row = unsafe { transmute::<[i16; 8], v128>(*row) };
                            for (sum, weights) in sums.iter_mut().zip(weights) {
                                *sum = i32x4_add(*sum, i32x4_dot_i16x8(weights, row));
                            }
                        }
                    }
                }
                for (result, sums) in result.iter_mut().zip(sums) {
                    // SAFETY: both are 32 bytes, of any value.
                    let sums = unsafe { transmute::<[v128; 2], [[i32; 4]; 2]>(sums) };
                    result.as_chunks_mut().0[part] = sums.map(|it| it.iter().sum());
                }
            }
            result
        }
    }

    fn widen(block: &Block, part: usize) -> [v128; 2] {
        // SAFETY: both are 16 bytes, of any value.
        let bytes = unsafe { transmute::<[[u8; 8]; 2], v128>(block.as_chunks::<2>().0[part]) };
        [i16x8_extend_low_i8x16(bytes), i16x8_extend_high_i8x16(bytes)]
    }
}

#[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
mod machine {
    use super::Kernel;

    pub(super) fn kernels() -> impl Iterator<Item = (&'static str, Kernel)> {
        std::iter::empty()
    }
}
