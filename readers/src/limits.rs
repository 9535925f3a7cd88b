//! How much of a file is read.

/// Largest file, in bytes: a thesis with its pictures is smaller, a video is not.
pub const MAX_FILE_BYTES: usize = 32 << 20;

/// Longest text made of a file, in bytes; as much as is taken of a Markdown file.
pub const MAX_TEXT_BYTES: usize = 10 << 20;

/// Most that is unpacked from one part of an archive, in bytes. A report of 500 pages has 20 MiB.
pub const MAX_PART_BYTES: usize = 64 << 20;

/// Most pages of a PDF; a person's papers are shorter, a scanned encyclopaedia is not theirs.
pub const MAX_PAGES: usize = 1_000;

/// Most letters on one page of a PDF. A page of a newspaper has some 20 000.
pub const MAX_PAGE_GLYPHS: usize = 200_000;

/// Deepest nesting that is followed, in lists, records and elements; what is deeper is read as if
/// it stood at this depth, or refused where the format has no such reading.
pub const MAX_DEPTH: usize = 32;

/// Most cells in a row of a table.
pub const MAX_CELLS: usize = 256;

/// Most brackets of a YAML file that are open at once. Its parser looks through all of them at every
/// word, and follows fewer than this to the values in them.
pub const MAX_OPEN_BRACKETS: usize = 1_000;
