//! Kernels: the products of bytes with 16-bit integers, as each processor computes them best.
//!
//! Every kernel gives the sums of [`portable`].
#![expect(
    unsafe_code,
    reason = "instructions a processor may lack are called after asking it, and registers are \
              read from and written to arrays of the same size"
)]

use super::linear::{Kernel, PANEL, Pairs, TILE};

/// The quickest kernel of this machine.
pub(super) fn kernel() -> Kernel {
    machine::kernels().next().map_or(portable, |(_, kernel)| kernel)
}

/// All kernels that this machine can run, by name, the quickest first.
#[cfg(test)]
pub(super) fn kernels() -> impl Iterator<Item = (&'static str, Kernel)> {
    machine::kernels().chain([("portable", portable as Kernel)])
}

/// Plain Rust, of which the compiler makes the lanes that every processor of a target has.
pub(super) fn portable(panel: &[Pairs], tile: &[i32], sums: &mut [[i32; PANEL]]) {
    by_height::<Portable>(panel, tile, sums);
}

type Sums<const ROWS: usize> = [[i32; PANEL]; ROWS];

/// A kernel for each height of a tile, so that the sums stay in registers.
trait Multiply {
    fn multiply<const ROWS: usize>(panel: &[Pairs], tile: &[[i32; ROWS]]) -> Sums<ROWS>;
}

fn by_height<M: Multiply>(panel: &[Pairs], tile: &[i32], sums: &mut [[i32; PANEL]]) {
    fn at<M: Multiply, const ROWS: usize>(
        panel: &[Pairs],
        tile: &[i32],
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
    fn multiply<const ROWS: usize>(panel: &[Pairs], tile: &[[i32; ROWS]]) -> Sums<ROWS> {
        let mut sums = [[0; PANEL]; ROWS];
        for (weights, pairs) in panel.iter().zip(tile) {
            for (sums, &pair) in sums.iter_mut().zip(pairs) {
                let (first, second) = (i32::from(pair as i16), pair >> 16);
                for (sum, weights) in sums.iter_mut().zip(weights.as_chunks::<2>().0) {
                    let [a, b] = weights.map(|it| i32::from(it as i8));
                    *sum += a * first + b * second;
                }
            }
        }
        sums
    }
}

#[cfg(target_arch = "x86_64")]
mod machine {
    use std::{arch::x86_64::*, mem::transmute};

    use super::{Kernel, Multiply, Pairs, Sums, by_height};

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
        fn multiply<const ROWS: usize>(panel: &[Pairs], tile: &[[i32; ROWS]]) -> Sums<ROWS> {
            // SAFETY: see the type.
            unsafe { avx512(panel, tile) }
        }
    }

    #[target_feature(enable = "avx512bw,avx512vnni")]
    fn avx512<const ROWS: usize>(panel: &[Pairs], tile: &[[i32; ROWS]]) -> Sums<ROWS> {
        // Two sums a row, since one would wait for its own last addition.
        let mut sums = [[_mm512_setzero_si512(); 2]; ROWS];
        for (weights, pairs) in panel.as_chunks::<2>().0.iter().zip(tile.as_chunks::<2>().0) {
            for half in 0..2 {
                // SAFETY: both are 32 bytes, of any value.
                let bytes = unsafe { transmute::<Pairs, __m256i>(weights[half]) };
                let weights = _mm512_cvtepi8_epi16(bytes);
                for (sums, &pair) in sums.iter_mut().zip(&pairs[half]) {
                    let pair = _mm512_set1_epi32(pair);
                    sums[half] = _mm512_dpwssd_epi32(sums[half], weights, pair);
                }
            }
        }
        // SAFETY: both are 64 bytes, of any value.
        sums.map(|[even, odd]| unsafe { transmute(_mm512_add_epi32(even, odd)) })
    }

    /// Named only where the processor said that it has AVX2.
    struct Avx2;

    impl Multiply for Avx2 {
        fn multiply<const ROWS: usize>(panel: &[Pairs], tile: &[[i32; ROWS]]) -> Sums<ROWS> {
            // SAFETY: see the type.
            unsafe { avx2(panel, tile) }
        }
    }

    #[target_feature(enable = "avx2")]
    fn avx2<const ROWS: usize>(panel: &[Pairs], tile: &[[i32; ROWS]]) -> Sums<ROWS> {
        let mut sums = [[_mm256_setzero_si256(); 2]; ROWS];
        for (weights, pairs) in panel.iter().zip(tile) {
            // SAFETY: both are 32 bytes, of any value.
            let bytes = unsafe { transmute::<Pairs, [__m128i; 2]>(*weights) };
            let weights = bytes.map(|it| _mm256_cvtepi8_epi16(it));
            for (sums, &pair) in sums.iter_mut().zip(pairs) {
                let pair = _mm256_set1_epi32(pair);
                for (sum, weights) in sums.iter_mut().zip(weights) {
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(weights, pair));
                }
            }
        }
        // SAFETY: both are 64 bytes, of any value.
        sums.map(|sums| unsafe { transmute(sums) })
    }

    struct Sse2;

    impl Multiply for Sse2 {
        fn multiply<const ROWS: usize>(panel: &[Pairs], tile: &[[i32; ROWS]]) -> Sums<ROWS> {
            // SAFETY: every processor of this target has SSE2.
            unsafe { sse2(panel, tile) }
        }
    }

    #[target_feature(enable = "sse2")]
    fn sse2<const ROWS: usize>(panel: &[Pairs], tile: &[[i32; ROWS]]) -> Sums<ROWS> {
        // Half a panel after the other: the sums of a whole one do not fit in 16 registers.
        let halves = [0, 1].map(|half| {
            let mut sums = [[_mm_setzero_si128(); 2]; ROWS];
            for (weights, pairs) in panel.iter().zip(tile) {
                // SAFETY: both are 32 bytes, of any value.
                let bytes = unsafe { transmute::<Pairs, [__m128i; 2]>(*weights) }[half];
                let low = _mm_srai_epi16::<8>(_mm_unpacklo_epi8(bytes, bytes));
                let high = _mm_srai_epi16::<8>(_mm_unpackhi_epi8(bytes, bytes));
                for (sums, &pair) in sums.iter_mut().zip(pairs) {
                    let pair = _mm_set1_epi32(pair);
                    for (sum, weights) in sums.iter_mut().zip([low, high]) {
                        *sum = _mm_add_epi32(*sum, _mm_madd_epi16(weights, pair));
                    }
                }
            }
            sums
        });
        // SAFETY: both are 64 bytes, of any value.
        std::array::from_fn(|row| unsafe { transmute([halves[0][row], halves[1][row]]) })
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod machine {
    use std::{arch::wasm32::*, mem::transmute};

    use super::{Kernel, Multiply, Pairs, Sums, by_height};

    pub(super) fn kernels() -> impl Iterator<Item = (&'static str, Kernel)> {
        [("simd128", by_height::<Simd128> as Kernel)].into_iter()
    }

    struct Simd128;

    impl Multiply for Simd128 {
        fn multiply<const ROWS: usize>(panel: &[Pairs], tile: &[[i32; ROWS]]) -> Sums<ROWS> {
            // Half a panel after the other: the sums of a whole one do not fit in 16 registers.
            let halves = [0, 1].map(|half| {
                let mut sums = [[i32x4_splat(0); 2]; ROWS];
                for (weights, pairs) in panel.iter().zip(tile) {
                    // SAFETY: both are 32 bytes, of any value.
                    let bytes = unsafe { transmute::<Pairs, [v128; 2]>(*weights) }[half];
                    let low = i16x8_extend_low_i8x16(bytes);
                    let high = i16x8_extend_high_i8x16(bytes);
                    for (sums, &pair) in sums.iter_mut().zip(pairs) {
                        let pair = i32x4_splat(pair);
                        for (sum, weights) in sums.iter_mut().zip([low, high]) {
                            *sum = i32x4_add(*sum, i32x4_dot_i16x8(weights, pair));
                        }
                    }
                }
                sums
            });
            // SAFETY: both are 64 bytes, of any value.
            std::array::from_fn(|row| unsafe { transmute([halves[0][row], halves[1][row]]) })
        }
    }
}

#[cfg(not(any(target_arch = "x86_64", all(target_arch = "wasm32", target_feature = "simd128"))))]
mod machine {
    use super::Kernel;

    pub(super) fn kernels() -> impl Iterator<Item = (&'static str, Kernel)> {
        std::iter::empty()
    }
}
