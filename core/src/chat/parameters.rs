//! Options in the URL, where clients of the system before this one have them.

use std::str::FromStr;

use crate::{
    RequestError,
    wire::{ChatRequest, FieldError},
};

/// Takes over options from `query`, the part of the URL behind `?`, where the body has none.
///
/// Empty values and names that are none of ours are left alone; of two values the first counts.
///
/// # Errors
/// [`RequestError::Invalid`] for values of the wrong type; ranges are the question's matter.
pub fn with_parameters(
    mut request: ChatRequest,
    query: Option<&str>,
) -> Result<ChatRequest, RequestError> {
    let mut fields = Vec::new();
    let parameters = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    for (name, value) in parameters.filter(|(_, value)| !value.is_empty()) {
        let taken = match name.as_ref() {
            "doc_type" => take(&mut request.doc_type, &value, "a string"),
            "level" => take(&mut request.level, &value, "a string"),
            "max_tokens" => take(&mut request.max_tokens, &value, "a whole number from 0"),
            "model" => take(&mut request.model, &value, "a string"),
            "reasoning_effort" => take(&mut request.reasoning_effort, &value, "a string"),
            "temperature" => take(&mut request.temperature, &value, "a number"),
            "term_id" => take(&mut request.term_id, &value, "a string"),
            "top_k" => take(&mut request.top_k, &value, "a whole number"),
            _ => Ok(()),
        };
        if let Err(expected) = taken {
            let message = format!("{name} must be {expected}");
            fields.push(FieldError { field: name.into_owned(), message });
        }
    }
    if fields.is_empty() { Ok(request) } else { Err(RequestError::Invalid { fields }) }
}

fn take<T: FromStr>(
    field: &mut Option<T>,
    value: &str,
    expected: &'static str,
) -> Result<(), &'static str> {
    if field.is_none() {
        *field = Some(value.parse().map_err(|_| expected)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_wins_over_the_url() {
        let body = ChatRequest { model: Some("qwen".to_owned()), ..ChatRequest::default() };
        let query = "model=groq&top_k=7&top_k=8&temperature=0.5&max_tokens=100&doc_type=a%20b+c\
            &term_id=fall&level=&reasoning_effort=low&grounded_only=perhaps&max_distance=0.6";
        let request = with_parameters(body, Some(query)).unwrap();
        assert_eq!(request.model.as_deref(), Some("qwen"));
        assert_eq!((request.top_k, request.max_tokens), (Some(7), Some(100)));
        assert_eq!(request.temperature, Some(0.5));
        assert_eq!(request.doc_type.as_deref(), Some("a b c"));
        assert_eq!((request.term_id.as_deref(), request.level), (Some("fall"), None));
        assert_eq!(request.reasoning_effort.as_deref(), Some("low"));
        let untouched = with_parameters(ChatRequest::default(), None).unwrap();
        assert!(untouched.model.is_none() && untouched.top_k.is_none());
    }

    #[test]
    fn types_are_checked_and_all_faults_named() {
        let query = "top_k=few&temperature=warm&max_tokens=1e3&model=%ff";
        let outcome = with_parameters(ChatRequest::default(), Some(query));
        let Err(RequestError::Invalid { fields }) = outcome else { panic!() };
        let messages: Vec<&str> = fields.iter().map(|it| it.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "top_k must be a whole number",
                "temperature must be a number",
                "max_tokens must be a whole number from 0"
            ]
        );
    }
}
