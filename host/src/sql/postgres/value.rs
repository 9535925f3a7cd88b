//! Values between guests and Postgres' binary format.
//!
//! A parameter is written as the type that the server has inferred for it, so that a statement means
//! the same whatever was bound to it before. Decimals and ranges are not converted: guests cast them
//! to text and from it.

use crate::bindings::spin::postgres::postgres::{DbDataType, DbValue, Interval, ParameterValue};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, Postgres};
use sqlx::{Encode, Type};

/// Built-in types by the numbers that they have in every Postgres (`pg_type.dat`).
mod oid {
    pub(super) const BOOL: u32 = 16;
    pub(super) const BYTEA: u32 = 17;
    pub(super) const CHAR: u32 = 18;
    pub(super) const NAME: u32 = 19;
    pub(super) const INT8: u32 = 20;
    pub(super) const INT2: u32 = 21;
    pub(super) const INT4: u32 = 23;
    pub(super) const TEXT: u32 = 25;
    pub(super) const JSON: u32 = 114;
    pub(super) const FLOAT4: u32 = 700;
    pub(super) const FLOAT8: u32 = 701;
    pub(super) const UNKNOWN: u32 = 705;
    pub(super) const INT4_ARRAY: u32 = 1007;
    pub(super) const TEXT_ARRAY: u32 = 1009;
    pub(super) const VARCHAR_ARRAY: u32 = 1015;
    pub(super) const INT8_ARRAY: u32 = 1016;
    pub(super) const BPCHAR: u32 = 1042;
    pub(super) const VARCHAR: u32 = 1043;
    pub(super) const DATE: u32 = 1082;
    pub(super) const TIME: u32 = 1083;
    pub(super) const TIMESTAMP: u32 = 1114;
    pub(super) const TIMESTAMPTZ: u32 = 1184;
    pub(super) const INTERVAL: u32 = 1186;
    pub(super) const UUID: u32 = 2950;
    pub(super) const JSONB: u32 = 3802;
}

const TEXTS: [u32; 5] = [oid::BPCHAR, oid::NAME, oid::TEXT, oid::UNKNOWN, oid::VARCHAR];

/// A parameter in the server's format; `None` is null.
pub(super) struct Parameter(Option<Vec<u8>>);

impl Parameter {
    /// Converts a guest's value to the inferred type `target`.
    ///
    /// # Errors
    ///
    /// What was given and what the statement wants there, without the value.
    pub(super) fn new(value: &ParameterValue, target: &PgTypeInfo) -> Result<Self, String> {
        if matches!(value, ParameterValue::DbNull) {
            return Ok(Self(None));
        }
        let number = target.oid().map_or(0, |Oid(number)| number);
        match encode(value, number) {
            Some(bytes) => Ok(Self(Some(bytes))),
            None => Err(format!(
                "the statement takes {target} there, got {}; cast it in the statement",
                kind(value)
            )),
        }
    }
}

impl Type<Postgres> for Parameter {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(oid::UNKNOWN))
    }
}

impl Encode<'_, Postgres> for Parameter {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        match &self.0 {
            Some(bytes) => {
                buffer.extend_from_slice(bytes);
                Ok(IsNull::No)
            }
            None => Ok(IsNull::Yes),
        }
    }
}

fn encode(value: &ParameterValue, target: u32) -> Option<Vec<u8>> {
    use ParameterValue as P;
    match value {
        P::Boolean(value) if target == oid::BOOL => Some(vec![u8::from(*value)]),
        P::Int8(value) => integer(i64::from(*value), target),
        P::Int16(value) => integer(i64::from(*value), target),
        P::Int32(value) => integer(i64::from(*value), target),
        P::Int64(value) | P::Timestamp(value) => integer(*value, target),
        P::Floating32(value) if target == oid::FLOAT4 => Some(value.to_be_bytes().to_vec()),
        P::Floating32(value) if target == oid::FLOAT8 => {
            Some(f64::from(*value).to_be_bytes().to_vec())
        }
        P::Floating64(value) if target == oid::FLOAT8 => Some(value.to_be_bytes().to_vec()),
        P::Str(value) if TEXTS.contains(&target) => Some(value.clone().into_bytes()),
        P::Binary(value) if target == oid::BYTEA => Some(value.clone()),
        P::Date(date) if target == oid::DATE => {
            Some(i32::try_from(days(*date)?).ok()?.to_be_bytes().to_vec())
        }
        P::Time(time) if target == oid::TIME => Some(micros(*time)?.to_be_bytes().to_vec()),
        P::Datetime((year, month, day, hour, minute, second, nano))
            if [oid::TIMESTAMP, oid::TIMESTAMPTZ].contains(&target) =>
        {
            let days = days((*year, *month, *day))?.checked_mul(DAY)?;
            let micros = days.checked_add(micros((*hour, *minute, *second, *nano))?)?;
            Some(micros.to_be_bytes().to_vec())
        }
        P::Uuid(text) if target == oid::UUID => uuid(text),
        P::Jsonb(json) if target == oid::JSONB => Some([&[1], json.as_slice()].concat()),
        P::Jsonb(json) if target == oid::JSON => Some(json.clone()),
        P::Interval(Interval { micros, days, months }) if target == oid::INTERVAL => {
            let parts = [&micros.to_be_bytes()[..], &days.to_be_bytes(), &months.to_be_bytes()];
            Some(parts.concat())
        }
        P::ArrayInt32(items) if target == oid::INT4_ARRAY => {
            array(oid::INT4, items, |item| item.to_be_bytes().to_vec())
        }
        P::ArrayInt64(items) if target == oid::INT8_ARRAY => {
            array(oid::INT8, items, |item| item.to_be_bytes().to_vec())
        }
        P::ArrayStr(items) if target == oid::TEXT_ARRAY => {
            array(oid::TEXT, items, |item| item.clone().into_bytes())
        }
        P::ArrayStr(items) if target == oid::VARCHAR_ARRAY => {
            array(oid::VARCHAR, items, |item| item.clone().into_bytes())
        }
        _ => None,
    }
}

fn integer(value: i64, target: u32) -> Option<Vec<u8>> {
    match target {
        oid::CHAR => Some(i8::try_from(value).ok()?.to_be_bytes().to_vec()),
        oid::INT2 => Some(i16::try_from(value).ok()?.to_be_bytes().to_vec()),
        oid::INT4 => Some(i32::try_from(value).ok()?.to_be_bytes().to_vec()),
        oid::INT8 => Some(value.to_be_bytes().to_vec()),
        _ => None,
    }
}

/// An array of one dimension, from index 1.
fn array<T>(element: u32, items: &[Option<T>], write: impl Fn(&T) -> Vec<u8>) -> Option<Vec<u8>> {
    let length = i32::try_from(items.len()).ok()?;
    let dimensions = i32::from(length > 0);
    let nulls = i32::from(items.iter().any(Option::is_none));
    let mut bytes = [dimensions.to_be_bytes(), nulls.to_be_bytes(), element.to_be_bytes()].concat();
    if length > 0 {
        bytes.extend([length.to_be_bytes(), 1_i32.to_be_bytes()].concat());
    }
    for item in items {
        match item {
            Some(item) => {
                let item = write(item);
                bytes.extend(i32::try_from(item.len()).ok()?.to_be_bytes());
                bytes.extend(item);
            }
            None => bytes.extend((-1_i32).to_be_bytes()),
        }
    }
    Some(bytes)
}

/// Reads a column's value; a type that is not known here arrives as its bytes.
pub(super) fn decode(bytes: &[u8], source: &PgTypeInfo) -> DbValue {
    let number = source.oid().map_or(0, |Oid(number)| number);
    known(bytes, number).unwrap_or_else(|| DbValue::Unsupported(bytes.to_vec()))
}

fn known(bytes: &[u8], source: u32) -> Option<DbValue> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    Some(match source {
        oid::BOOL => DbValue::Boolean(*bytes.first()? != 0),
        oid::CHAR => DbValue::Int8(i8::from_be_bytes(bytes.try_into().ok()?)),
        oid::INT2 => DbValue::Int16(i16::from_be_bytes(bytes.try_into().ok()?)),
        oid::INT4 => DbValue::Int32(i32::from_be_bytes(bytes.try_into().ok()?)),
        oid::INT8 => DbValue::Int64(i64::from_be_bytes(bytes.try_into().ok()?)),
        oid::FLOAT4 => DbValue::Floating32(f32::from_be_bytes(bytes.try_into().ok()?)),
        oid::FLOAT8 => DbValue::Floating64(f64::from_be_bytes(bytes.try_into().ok()?)),
        oid::BYTEA => DbValue::Binary(bytes.to_vec()),
        oid::DATE => DbValue::Date(date(i64::from(i32::from_be_bytes(bytes.try_into().ok()?)))?),
        oid::TIME => DbValue::Time(time(i64::from_be_bytes(bytes.try_into().ok()?))?),
        oid::TIMESTAMP => {
            let micros = i64::from_be_bytes(bytes.try_into().ok()?);
            let (year, month, day) = date(micros.div_euclid(DAY))?;
            let (hour, minute, second, nano) = time(micros.rem_euclid(DAY))?;
            DbValue::Datetime((year, month, day, hour, minute, second, nano))
        }
        oid::INTERVAL => DbValue::Interval(Interval {
            micros: i64::from_be_bytes(bytes.get(..8)?.try_into().ok()?),
            days: i32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?),
            months: i32::from_be_bytes(bytes.get(12..16)?.try_into().ok()?),
        }),
        oid::UUID => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let parts = [hex.get(..8)?, hex.get(8..12)?, hex.get(12..16)?, hex.get(16..20)?];
            DbValue::Uuid(format!("{}-{}", parts.join("-"), hex.get(20..)?))
        }
        oid::JSON => DbValue::Jsonb(bytes.to_vec()),
        // A byte of version comes first.
        oid::JSONB => DbValue::Jsonb(bytes.get(1..)?.to_vec()),
        oid::INT4_ARRAY => DbValue::ArrayInt32(items(bytes, |item| {
            Some(i32::from_be_bytes(item.try_into().ok()?))
        })?),
        oid::INT8_ARRAY => DbValue::ArrayInt64(items(bytes, |item| {
            Some(i64::from_be_bytes(item.try_into().ok()?))
        })?),
        oid::TEXT_ARRAY | oid::VARCHAR_ARRAY => DbValue::ArrayStr(items(bytes, text)?),
        source if TEXTS.contains(&source) => DbValue::Str(text(bytes)?),
        _ => return None,
    })
}

/// The items of an array with at most one dimension.
fn items<T>(bytes: &[u8], read: impl Fn(&[u8]) -> Option<T>) -> Option<Vec<Option<T>>> {
    let word = |at: usize| Some(i32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if word(0)? == 0 {
        return Some(Vec::new());
    }
    if word(0)? != 1 {
        return None;
    }
    let mut at = 20;
    let mut items = Vec::new();
    for _ in 0..word(12)? {
        let length = word(at)?;
        at += 4;
        match usize::try_from(length) {
            Ok(length) => {
                items.push(Some(read(bytes.get(at..at + length)?)?));
                at += length;
            }
            Err(_) => items.push(None),
        }
    }
    Some(items)
}

/// The interface's name for a column's type.
pub(super) fn data_type(info: &PgTypeInfo) -> DbDataType {
    match info.oid().map_or(0, |Oid(number)| number) {
        oid::BOOL => DbDataType::Boolean,
        oid::CHAR => DbDataType::Int8,
        oid::INT2 => DbDataType::Int16,
        oid::INT4 => DbDataType::Int32,
        oid::INT8 => DbDataType::Int64,
        oid::FLOAT4 => DbDataType::Floating32,
        oid::FLOAT8 => DbDataType::Floating64,
        oid::BYTEA => DbDataType::Binary,
        oid::DATE => DbDataType::Date,
        oid::TIME => DbDataType::Time,
        oid::TIMESTAMP => DbDataType::Datetime,
        oid::INTERVAL => DbDataType::Interval,
        oid::UUID => DbDataType::Uuid,
        oid::JSON | oid::JSONB => DbDataType::Jsonb,
        oid::INT4_ARRAY => DbDataType::ArrayInt32,
        oid::INT8_ARRAY => DbDataType::ArrayInt64,
        oid::TEXT_ARRAY | oid::VARCHAR_ARRAY => DbDataType::ArrayStr,
        number if TEXTS.contains(&number) => DbDataType::Str,
        _ => DbDataType::Other(info.to_string()),
    }
}

fn kind(value: &ParameterValue) -> &'static str {
    use ParameterValue as P;
    match value {
        P::Boolean(_) => "a boolean",
        P::Int8(_) | P::Int16(_) | P::Int32(_) | P::Int64(_) => "an integer, or too large a one",
        P::Floating32(_) | P::Floating64(_) => "a floating-point number",
        P::Str(_) => "text",
        P::Binary(_) => "bytes",
        P::Date(_) | P::Time(_) | P::Datetime(_) | P::Timestamp(_) => "a time or date",
        P::Uuid(_) => "a UUID",
        P::Jsonb(_) => "JSON",
        P::Decimal(_) | P::ArrayDecimal(_) | P::RangeDecimal(_) => "a decimal",
        P::RangeInt32(_) | P::RangeInt64(_) => "a range",
        P::ArrayInt32(_) | P::ArrayInt64(_) | P::ArrayStr(_) => "an array",
        P::Interval(_) => "an interval",
        P::DbNull => "null",
    }
}

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// Days from the year 0's first of March, where the calendar's rule begins, to Postgres' day 0,
/// the first of January 2000.
const EPOCH: i64 = 730_425;

/// Days of the 400 years after which the calendar repeats.
const ERA: i64 = 146_097;

/// Days since Postgres' day 0 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days((year, month, day): (i32, u8, u8)) -> Option<i64> {
    let valid = (1..=12).contains(&month) && (1..=31).contains(&day);
    valid.then_some(())?;
    let year = i64::from(year) - i64::from(month <= 2);
    let months = i64::from((month + 9) % 12);
    let day_of_year = (153 * months + 2) / 5 + i64::from(day) - 1;
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    Some(era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - EPOCH)
}

/// The inverse of [`days`].
fn date(days: i64) -> Option<(i32, u8, u8)> {
    let days = days + EPOCH;
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let years = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * years + years / 4 - years / 100);
    let months = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months + 2) / 5 + 1;
    let month = if months < 10 { months + 3 } else { months - 9 };
    let year = years + era * 400 + i64::from(month <= 2);
    Some((i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?))
}

fn micros((hour, minute, second, nano): (u8, u8, u8, u32)) -> Option<i64> {
    let valid = hour < 24 && minute < 60 && second < 60 && nano < 1_000_000_000;
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    valid.then_some(seconds * 1_000_000 + i64::from(nano) / 1000)
}

fn time(micros: i64) -> Option<(u8, u8, u8, u32)> {
    let seconds = micros / 1_000_000;
    let part = |number: i64| u8::try_from(number).ok();
    let nano = u32::try_from(micros % 1_000_000 * 1000).ok()?;
    Some((part(seconds / 3600)?, part(seconds / 60 % 60)?, part(seconds % 60)?, nano))
}

fn uuid(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|letter| *letter != '-')
        .map(|letter| letter.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    (digits.len() == 32).then(|| digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        use ParameterValue as P;
        let check = |value: &P, target: u32, expected: &str| {
            let bytes = encode(value, target).unwrap_or_else(|| panic!("{value:?}"));
            assert_eq!(format!("{:?}", known(&bytes, target).unwrap()), expected);
        };
        check(&P::Boolean(true), oid::BOOL, "DbValue::Boolean(true)");
        check(&P::Int64(-7), oid::INT2, "DbValue::Int16(-7)");
        check(&P::Int8(7), oid::INT8, "DbValue::Int64(7)");
        check(&P::Floating32(0.5), oid::FLOAT8, "DbValue::Floating64(0.5)");
        check(&P::Str("é".to_owned()), oid::VARCHAR, "DbValue::Str(\"é\")");
        check(&P::Binary(vec![0, 255]), oid::BYTEA, "DbValue::Binary([0, 255])");
        check(&P::Date((1867, 11, 7)), oid::DATE, "DbValue::Date((1867, 11, 7))");
        check(&P::Time((23, 59, 58, 1_000)), oid::TIME, "DbValue::Time((23, 59, 58, 1000))");
        check(
            &P::Datetime((1999, 12, 31, 23, 0, 1, 0)),
            oid::TIMESTAMP,
            "DbValue::Datetime((1999, 12, 31, 23, 0, 1, 0))",
        );
        let uuid = "00112233-4455-6677-8899-aabbccddeeff";
        check(&P::Uuid(uuid.to_owned()), oid::UUID, &format!("DbValue::Uuid({uuid:?})"));
        check(&P::Jsonb(b"{}".to_vec()), oid::JSONB, "DbValue::Jsonb([123, 125])");
        check(
            &P::ArrayInt64(vec![Some(1), None]),
            oid::INT8_ARRAY,
            "DbValue::ArrayInt64([Some(1), None])",
        );
        check(&P::ArrayStr(vec![]), oid::TEXT_ARRAY, "DbValue::ArrayStr([])");
    }

    #[test]
    fn dates_follow_the_calendar() {
        assert_eq!(days((2000, 1, 1)), Some(0));
        assert_eq!(days((1970, 1, 1)), Some(-10_957));
        assert_eq!(days((2000, 3, 1)), Some(60));
        assert_eq!(days((2001, 13, 1)), None);
        for day in (-800_000..800_000).step_by(13) {
            assert_eq!(date(day).and_then(days), Some(day));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (value, target) in [
            (ParameterValue::Int64(40_000), oid::INT2),
            (ParameterValue::Str("1".to_owned()), oid::INT8),
            (ParameterValue::Uuid("xyz".to_owned()), oid::UUID),
            (ParameterValue::Decimal("1.5".to_owned()), oid::TEXT),
            (ParameterValue::Time((24, 0, 0, 0)), oid::TIME),
        ] {
            assert_eq!(encode(&value, target), None, "{value:?}");
        }
        // Bytes that are no such value arrive as they are.
        let odd = decode(&[1, 2, 3], &PgTypeInfo::with_oid(Oid(oid::INT8)));
        assert!(matches!(odd, DbValue::Unsupported(bytes) if bytes == [1, 2, 3]));
    }
}
