//! The letters of a page, where they are drawn and how large.

use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, SoftMask, TransformExt as _,
    font::{Glyph as Drawn, GlyphRun},
    hayro_cmap::BfString,
    hayro_syntax::{Pdf, page::Page},
    interpret_page,
    kurbo::{Affine, BezPath, Point, Rect, Shape as _},
};

use crate::{ReadError, limits::MAX_PAGE_GLYPHS};

/// Units of a font's coordinates to one of its size.
const UNITS_PER_EM: f64 = 1000.0;

/// Lightest weight that is called bold.
const BOLD: u32 = 600;

/// Widths of what may be a dot before an item, in points.
const DOT: std::ops::Range<f64> = 2.0..6.0;
/// Width of such a dot, and height of its middle above the baseline, in sizes of the font.
const DOT_SIZE: f64 = 0.35;
const DOT_HEIGHT: f64 = 0.3;

/// A letter; lengths are in points, from the page's upper left corner.
#[derive(Clone, Copy, Debug)]
pub(super) struct Glyph {
    pub(super) letter: char,
    /// Where it starts and ends.
    pub(super) x: (f32, f32),
    /// Its baseline.
    pub(super) y: f32,
    /// Of its font.
    pub(super) size: f32,
    pub(super) is_bold: bool,
    /// Whether it is the first of what is drawn at once.
    pub(super) is_first: bool,
}

/// The letters of each page, in the order in which they are drawn.
pub(super) fn pages(pdf: &Pdf) -> Result<Vec<Vec<Glyph>>, ReadError> {
    let cache = InterpreterCache::new();
    pdf.pages().iter().map(|page| read(page, pdf, &cache)).collect()
}

fn read<'a>(
    page: &Page<'a>,
    pdf: &'a Pdf,
    cache: &InterpreterCache<'a>,
) -> Result<Vec<Glyph>, ReadError> {
    let (width, height) = page.render_dimensions();
    let frame = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
    let upright = page.initial_transform(true).to_kurbo();
    let settings = InterpreterSettings::default();
    let mut context = Context::new(upright, frame, cache, pdf.xref(), settings);
    let mut collector = Collector::default();
    interpret_page(page, &mut context, &mut collector);
    if collector.glyphs.len() >= MAX_PAGE_GLYPHS {
        return Err(ReadError::TooLarge { limit: MAX_PAGE_GLYPHS, unit: "letters on a page" });
    }
    // What lies beside the paper is not seen.
    let seen = |it: &Glyph| it.x.0 < width && it.x.1 > 0.0 && it.y > 0.0 && it.y < height;
    collector.glyphs.retain(seen);
    Ok(collector.glyphs)
}

/// What the letters of a run share.
#[derive(Clone, Copy)]
struct Run {
    is_bold: bool,
    is_first: bool,
}

/// A drawing that keeps the text alone.
#[derive(Default)]
struct Collector {
    glyphs: Vec<Glyph>,
}

impl<'a> Device<'a> for Collector {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, _: &DrawMode) {
        let is_bold = run.glyphs().first().is_some_and(|glyph| match &**glyph {
            Drawn::Outline(outline) => outline.font_data().is_some_and(|font| {
                let name = font.postscript_name.unwrap_or_default();
                font.weight.is_some_and(|it| it >= BOLD) || name.contains("Bold")
            }),
            Drawn::Type3(_) => false,
        });
        for (n, glyph) in run.glyphs().iter().enumerate() {
            if self.glyphs.len() >= MAX_PAGE_GLYPHS {
                return;
            }
            let advance = match &**glyph {
                Drawn::Outline(outline) => outline.advance_width(),
                Drawn::Type3(drawn) => drawn.advance_width(),
            };
            let Some(text) = glyph.as_unicode() else { continue };
            let transform = props.transform * glyph.transform();
            self.add(&text, advance.unwrap_or(500.0), transform, Run { is_bold, is_first: n == 0 });
        }
    }

    /// Browsers draw the bullets of lists as dots.
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        let bounds = (props.transform * path.clone()).bounding_box();
        let (width, height) = (bounds.width(), bounds.height());
        let is_dot = DOT.contains(&width) && (width - height).abs() < width * 0.1;
        if matches!(mode, DrawMode::Fill(_)) && is_dot && self.glyphs.len() < MAX_PAGE_GLYPHS {
            let size = width / DOT_SIZE;
            self.glyphs.push(Glyph {
                letter: '•',
                x: (bounds.x0 as f32, bounds.x1 as f32),
                y: (bounds.center().y + size * DOT_HEIGHT) as f32,
                size: size as f32,
                is_bold: false,
                is_first: true,
            });
        }
    }

    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn draw_image(&mut self, _: Image<'a, '_>, _: ImageDrawProps<'a>) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

impl Collector {
    /// Adds the letters that one glyph stands for, side by side.
    fn add(&mut self, text: &BfString, advance: f32, transform: Affine, run: Run) {
        let letters: Vec<char> = match text {
            BfString::Char(letter) => vec![*letter],
            BfString::String(letters) => letters.chars().collect(),
        };
        let letters: Vec<char> = letters.into_iter().flat_map(plain).collect();
        let start = transform * Point::ORIGIN;
        let end = transform * Point::new(f64::from(advance), 0.0);
        let up = transform * Point::new(0.0, UNITS_PER_EM);
        let size = start.distance(up) as f32;
        // Text that stands on its side is a mark of the margin.
        let is_level = (end.y - start.y).abs() <= (end.x - start.x).abs() * 0.1 + 0.01;
        let is_sound = start.is_finite() && end.is_finite() && size.is_finite() && size > 0.5;
        if letters.is_empty() || !is_level || !is_sound {
            return;
        }
        let (x0, x1) = (start.x.min(end.x) as f32, start.x.max(end.x) as f32);
        let width = (x1 - x0) / letters.len() as f32;
        for (n, letter) in letters.into_iter().enumerate() {
            let from = x0 + width * n as f32;
            let glyph = Glyph {
                letter,
                x: (from, from + width),
                y: start.y as f32,
                size,
                is_bold: run.is_bold,
                is_first: run.is_first && n == 0,
            };
            // Bold made by drawing twice.
            let again = self.glyphs.iter().rev().take(64).any(|it| {
                it.letter == letter
                    && (it.x.0 - from).abs() < size * 0.1
                    && (it.y - glyph.y).abs() < size * 0.1
            });
            if !again {
                self.glyphs.push(glyph);
            }
        }
    }
}

/// A letter as it is written in plain text: ligatures taken apart, signs of symbol fonts named.
fn plain(letter: char) -> Vec<char> {
    match letter {
        '\u{fb00}' => vec!['f', 'f'],
        '\u{fb01}' => vec!['f', 'i'],
        '\u{fb02}' => vec!['f', 'l'],
        '\u{fb03}' => vec!['f', 'f', 'i'],
        '\u{fb04}' => vec!['f', 'f', 'l'],
        // The bullets of Symbol and Wingdings.
        '\u{f0b7}' | '\u{f0a7}' | '\u{f076}' => vec!['•'],
        '\u{e000}'..='\u{f8ff}' | '\u{fffd}' => Vec::new(),
        letter if letter.is_control() && letter != '\t' => Vec::new(),
        letter => vec![letter],
    }
}
