/**
 * Which patches break each rule of ARCHITECTURE's "easy to get wrong", and each Must-hold line of an issue that asks for one.
 */
export const rules: Readonly<Record<string, ReadonlyArray<string>>> = {
  "belonging: whole path segments": ["reference-owns-a-prefix"],
  "belonging: Docker Hub's aliases are equal on both sides": ["reference-forgets-a-hub-alias"],
  "belonging: before any network call": ["registry-no-ownership-check", "batch-stranger-accepted"],
  "engine stream: an error in a later line of a 200 fails": ["engine-error-line-is-not-the-end"],
  "engine stream: a last line without its newline counts": ["engine-drops-the-last-line"],
  "engine stream: characters cut at chunk borders": ["engine-characters-cut-with-their-chunk"],
  "engine stream: lines cut anywhere": ["engine-framer-forgets-a-split-line", "engine-line-grows-quadratically"],
  "engine stream: a body that ends with its connection": [
    "engine-closed-body-is-complete",
    "engine-cut-answer-is-complete"
  ],
  "engine stream: an end with neither error nor digest": ["engine-end-without-result-is-a-push"],
  "engine facts: counters overshoot their total": ["bars-over-100-percent"],
  "engine facts: lines repeat without progress": ["supervisor-repeated-lines-are-progress"],
  "engine facts: a stall through an engine is not retried": ["supervisor-stall-is-retried"],
  "engine facts: a lost answer is settled by asking the registry": [
    "transport-lost-answer-is-final",
    "transport-lost-answer-trusts-any-manifest"
  ],
  "docker-modem: only parsed references reach it": ["reference-empty-component"],
  "docker-modem: DOCKER_HOST is not read": ["engine-reads-docker-host"],
  "docker-modem: its debug output has no credential": ["engine-debug-prints-the-credential"],
  "docker-modem: the agent is ours to destroy": ["engine-agent-not-destroyed"],
  "engine auth: a header on every push": ["engine-no-header-without-a-credential"],
  "engine auth: padded base64url": ["engine-auth-without-padding"],
  "engine auth: serveraddress": ["engine-server-address-left-out", "engine-hub-s-address-is-its-host"],
  "engine auth: nothing of the machine's when a credential was given": ["config-secret-loses-to-the-fallback"],
  "digest: the result line of the wanted tag": ["transport-digest-of-another-tag"],
  "digest: aux must agree": ["transport-aux-need-not-agree"],
  "digest: else the manifest's HEAD": ["transport-digest-not-asked-for"],
  "digest: DigestMissing says that the push went through": ["transport-missing-digest-says-nothing-of-the-push"],
  "unchanged: one request, and nothing is sent": ["transport-no-unchanged-check"],
  "unchanged: by the config's digest": ["transport-unchanged-by-digest-only"],
  "unchanged: by the manifest's own digest": ["transport-unchanged-by-config-only"],
  "bytes: by each layer's outcome": ["transport-a-layer-counts-twice"],
  "bytes: absent when unknown": ["transport-unknown-bytes-are-nothing"],
  "expiry: expired is later than at - skew": ["lease-expires-at-its-skew"],
  "expiry: a tenth of the lifetime, at most 300 s": ["lease-skew-is-not-a-tenth", "lease-skew-has-no-bound"],
  "expiry: an explicit 0 counts": ["lease-skew-of-zero-does-not-count"],
  "expiry: the earliest of all ends": ["lease-latest-of-two-ends", "connector-aws-ignores-the-session"],
  "expiry: unknown is reused for 5 minutes": ["lease-unknown-is-never"],
  "expiry: what was issued for this borrow is used": ["lease-looks-again-at-what-it-issued"],
  "expiry: issued past its end is a ConnectorError": ["connector-gives-what-is-over"],
  "lease: looking and creating are one step": ["lease-looks-then-creates"],
  "lease: no caller's services": ["lease-checks-with-a-borrowers-services", "lease-issues-without-its-owners-services"],
  "lease: issued in the owner's scope": ["lease-issue-dies-with-its-first-caller", "lease-issue-runs-for-nobody"],
  "lease: users are counted": ["lease-closes-under-its-users", "lease-counts-an-interrupted-borrower"],
  "lease: retired by generation": ["lease-expires-any-generation"],
  "lease: a failed issue is not remembered": ["lease-remembers-a-failed-issue"],
  "lease: a slow user keeps the old client": ["lease-renewal-leaves-the-old-one-open", "lease-closes-under-its-users"],
  "lease: renewed early, with jitter, only while in use": [
    "lease-renews-without-jitter",
    "lease-renews-what-nobody-uses"
  ],
  "lease: refresh in flight when the scope closes": [
    "lease-begins-after-its-close",
    "lease-close-interrupts-who-waits"
  ],
  "refresh in a push: only with another credential": ["registry-retries-with-the-same-credential"],
  "refresh in a push: a denial only when the credential is older": ["registry-renews-on-every-denial"],
  "refresh in a push: the second answer is final where the first was never taken": [
    "registry-renews-what-was-never-taken",
    "registry-renews-without-end"
  ],
  "refresh in a push: one that was taken and has ended is replaced": ["registry-second-answer-is-always-final"],
  "rotation: a secret is read again": ["registry-remembers-a-secret"],
  "rotation: an equal one keeps its generation": ["registry-equal-secret-is-a-new-one"],
  "joining: by source, target and platform": [
    "supervisor-joins-pushes-of-other-sources",
    "supervisor-joins-pushes-of-other-platforms"
  ],
  "joining: interrupting one who waits stops nothing": ["supervisor-stopped-by-interrupted-waiter"],
  "joining: cancel is no interruption of who waits": ["supervisor-cancel-interrupts-who-waits"],
  "joining: sources of one target run in order": ["supervisor-order-of-a-target-lost"],
  "joining: a plan with two sources for a target is refused": ["batch-conflicts-accepted"],
  "events: progress is dropped for a slow subscriber": ["supervisor-progress-kept-for-slow-subscribers"],
  "events: no progress after the end": ["supervisor-progress-after-the-end"],
  "events: times of the captured Clock": ["supervisor-events-in-machine-time"],
  "supervisor: six planted faults": [
    "supervisor-lost-terminal-event",
    "supervisor-double-run",
    "supervisor-permit-leaked-on-interruption",
    "supervisor-missing-end",
    "supervisor-drain-accepts-work",
    "supervisor-stopped-by-interrupted-waiter"
  ],
  "supervisor: one registry does not hold another's permits": ["supervisor-unfair-permits"],
  "leaks: the suite is red without the agent's destroy": ["engine-agent-not-destroyed"],
  "secrets: a leaking build is noticed": ["engine-repeats-echoed-secrets"],
  "packaging: an import loads no engine client": ["packaging-engine-client-loaded-at-once"],
  "packaging: every subpath is there": ["packaging-subpath-without-a-file"],
  "packaging: maps point to what is packed": ["packaging-sources-left-out"]
}
