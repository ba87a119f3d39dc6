//! Runs that this program has no steps for.

use tenantry_core::workflow::WorkflowState;
use tenantry_saga::{Faults, SagaError};
use tenantry_testkit::on_both;
use tenantry_testkit::service::Driver;

use crate::bench::{BUILD, Bench, PACE};

async fn an_unknown_kind_or_version_is_an_error_and_rests(driver: Driver) {
    for (kind, version) in [("demolish", 1), (BUILD, 2)] {
        let bench = Bench::start(driver).await;
        let id = bench.add(kind, version).await;
        let engine = bench.engine(Faults::none());
        let error = engine.run(id).await.unwrap_err();
        assert!(matches!(error, SagaError::Unknown { .. }), "{error}");
        assert!(bench.log(id).await.is_empty());
        assert!(bench.world.calls().is_empty());
        let run = bench.run(id).await;
        assert_eq!(
            run.state,
            WorkflowState::Running,
            "a newer program can go on"
        );
        assert!(run.error.unwrap().contains(kind));

        assert_eq!(engine.list_due(10).await.unwrap(), [], "it does not spin");
        bench.clock.advance(PACE.longest);
        assert_eq!(engine.list_due(10).await.unwrap(), [id]);
    }
}

on_both!(an_unknown_kind_or_version_is_an_error_and_rests);
