-- The tables of the first version. Frozen: a later change is a later migration.

CREATE SEQUENCE task_number;

CREATE TABLE api_keys (
    id SERIAL NOT NULL,
    name TEXT NOT NULL,
    digest BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    recent_calls TIMESTAMP WITH TIME ZONE[] DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_api_keys PRIMARY KEY (id),
    CONSTRAINT uq_api_keys_digest UNIQUE (digest)
);

CREATE TABLE server_state (
    id SERIAL NOT NULL,
    secret_check BYTEA,
    maintenance BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_server_state PRIMARY KEY (id)
);

CREATE TABLE webhook_keys (
    id SERIAL NOT NULL,
    sealed BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_webhook_keys PRIMARY KEY (id)
);

CREATE TABLE tasks (
    id TEXT NOT NULL,
    number BIGINT DEFAULT nextval('task_number') NOT NULL,
    api_key_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    stage TEXT DEFAULT '' NOT NULL,
    progress DOUBLE PRECISION DEFAULT '0' NOT NULL,
    source_id TEXT,
    audio_id TEXT,
    parameters JSONB DEFAULT '{}' NOT NULL,
    callback_url TEXT,
    result JSONB,
    error_code INTEGER,
    error_message TEXT,
    run INTEGER DEFAULT '0' NOT NULL,
    cancel_requested BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE,
    completed_at TIMESTAMP WITH TIME ZONE,
    expires_at TIMESTAMP WITH TIME ZONE,
    purged_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_tasks PRIMARY KEY (id),
    CONSTRAINT uq_tasks_number UNIQUE (number),
    CONSTRAINT fk_tasks_api_key_id FOREIGN KEY(api_key_id) REFERENCES api_keys (id),
    CONSTRAINT fk_tasks_source_id FOREIGN KEY(source_id) REFERENCES tasks (id) ON DELETE SET NULL
);
CREATE INDEX ix_tasks_active ON tasks (api_key_id) WHERE state IN ('queued', 'running');
CREATE INDEX ix_tasks_ended ON tasks (api_key_id, completed_at, number) WHERE state IN ('succeeded', 'failed');
CREATE INDEX ix_tasks_expiry ON tasks (expires_at) WHERE purged_at IS NULL;
CREATE INDEX ix_tasks_list ON tasks (api_key_id, number);
CREATE INDEX ix_tasks_source ON tasks (source_id);

CREATE TABLE artifacts (
    id BIGSERIAL NOT NULL,
    task_id TEXT NOT NULL,
    name TEXT NOT NULL,
    audio_id TEXT,
    key TEXT NOT NULL,
    filename TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    duration DOUBLE PRECISION,
    CONSTRAINT pk_artifacts PRIMARY KEY (id),
    CONSTRAINT uq_artifacts_task_id_name UNIQUE (task_id, name),
    CONSTRAINT fk_artifacts_task_id FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
CREATE INDEX ix_artifacts_audio_id ON artifacts (audio_id);
CREATE INDEX ix_artifacts_task_id ON artifacts (task_id);

CREATE TABLE deliveries (
    id BIGSERIAL NOT NULL,
    webhook_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    url TEXT NOT NULL,
    host TEXT NOT NULL,
    body BYTEA NOT NULL,
    state TEXT DEFAULT 'pending' NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_deliveries PRIMARY KEY (id),
    CONSTRAINT fk_deliveries_task_id FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);
CREATE INDEX ix_deliveries_due ON deliveries (due_at) WHERE state = 'pending';
CREATE INDEX ix_deliveries_host ON deliveries (host, due_at, id) WHERE state = 'pending';
CREATE INDEX ix_deliveries_task_id ON deliveries (task_id);

CREATE TABLE idempotency_keys (
    api_key_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    request_digest BYTEA NOT NULL,
    task_id TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (api_key_id, key),
    CONSTRAINT fk_idempotency_keys_api_key_id FOREIGN KEY(api_key_id) REFERENCES api_keys (id),
    CONSTRAINT fk_idempotency_keys_task_id FOREIGN KEY(task_id) REFERENCES tasks (id) ON DELETE CASCADE
);

CREATE TABLE attempts (
    id BIGSERIAL NOT NULL,
    delivery_id BIGINT NOT NULL,
    number INTEGER NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    address TEXT,
    status INTEGER,
    milliseconds DOUBLE PRECISION NOT NULL,
    resolve_ms DOUBLE PRECISION,
    connect_ms DOUBLE PRECISION,
    tls_ms DOUBLE PRECISION,
    first_byte_ms DOUBLE PRECISION,
    connection TEXT,
    error TEXT,
    answer TEXT,
    CONSTRAINT pk_attempts PRIMARY KEY (id),
    CONSTRAINT fk_attempts_delivery_id FOREIGN KEY(delivery_id) REFERENCES deliveries (id) ON DELETE CASCADE
);
CREATE INDEX ix_attempts_delivery_id ON attempts (delivery_id);

INSERT INTO server_state (id) VALUES (1);
