//! The component ranks as the native code does.

use dossier_core::{
    auth::Visitor,
    chat::{Instance, Service, Settings},
    fakes::MemoryEnv,
    index::Index,
    retrieval::{MAX_TOP_K, Retriever},
    telemetry::Trace,
    wire::{SearchRequest, SearchResponse},
};
use dossier_tests::{Server, cases, encoder, pack};
use futures::executor::block_on;
use serde_json::json;

/// Scores may differ in the last bits: kernels differ between the machine and wasm.
const TOLERANCE: f32 = 1e-4;

#[test]
fn native_and_component_rankings_agree_for_all_cases() {
    let server = Server::start().unwrap();
    let (index, encoder) = (Index::open(pack().unwrap()).unwrap(), encoder().unwrap());
    let retriever = Retriever::new(&index, Some(&encoder));
    let env = &MemoryEnv::default();
    let settings = &block_on(Settings::configured(&env.config)).unwrap();
    let instance = &Instance::new(&env.entropy);
    let service = Service { env, settings, instance, retriever };
    let cases = cases().unwrap();
    assert!(cases.len() >= 80);
    for case in cases {
        let request = SearchRequest {
            query: case.query.clone(),
            top_k: Some(MAX_TOP_K as i64),
            ..SearchRequest::default()
        };
        let mut trace = Trace::default();
        let (native, _) =
            block_on(service.search(request, Visitor::default(), &mut trace)).unwrap();
        let reply =
            server.post("/search", &json!({"query": case.query, "top_k": MAX_TOP_K})).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.body);
        let component: SearchResponse = serde_json::from_str(&reply.body).unwrap();
        let ids = |response: &SearchResponse| -> Vec<String> {
            response.hits.iter().map(|hit| hit.id.clone()).collect()
        };
        assert_eq!(ids(&native), ids(&component), "{}", case.id);
        assert!(component.degraded.is_empty(), "{:?}", component.degraded);
        for (native, component) in native.hits.iter().zip(&component.hits) {
            let difference = (native.score - component.score).abs();
            assert!(difference < TOLERANCE, "{}: {} differs by {difference}", case.id, native.id);
        }
    }
}
