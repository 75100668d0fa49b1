-- Four years of events; the first are those that everybody answers to.
create table raw_zoho_crm__events as
select
    '8' || lpad(cast(i as text), 17, '0') as id,
    pick(['Atelier', 'Laboratorio', 'Forum', 'Dialogue', '论坛'], u(i, 'name')) || ' ' || cast(i as text) as name,
    'EV-' || lpad(cast(i as text), 6, '0') as code,
    pick(['Solutions Lab', 'Training', 'Training', 'Conference', 'Panel', 'Governing body'], u(i, 'type')) as event_type,
    case when u(i, 'lab') < 0.2 then 'Energy communities' end as lab,
    case when u(i, 'programme') < 0.4 then 'Solutions Labs' end as programme,
    pick(['Metropolitan futures', 'Social cohesion;Gender equality', 'Metropolitan ecosystems'], u(i, 'theme')) as themes,
    cast(1 + cast(floor(u(i, 'line') * 5) as integer) as text) as lines_of_action,
    pick(['In person', 'Online', 'Hybrid'], u(i, 'format')) as format,
    case when u(i, 'held') < 0.95 then 'Held' else 'Cancelled' end as status,
    case when u(i, 'ours') < 0.8 then 'true' else 'false' end as organised_by_network,
    strftime(timestamp '2023-01-09 22:30' + to_hours(cast(floor(u(i, 'day') * 17000) as integer)), '%Y-%m-%dT%H:%M:%S') || '+00:00'
        as starts_at,
    strftime(timestamp '2023-01-10 01:30' + to_hours(cast(floor(u(i, 'day') * 17000) as integer)), '%Y-%m-%dT%H:%M:%S') || '+00:00'
        as ends_at,
    '2022-12-01T09:00:00+00:00' as created_at,
    '2024-12-20T09:00:00+00:00' as modified_at,
    '8' || lpad(cast(i as text), 17, '0') as _row_key,
    'fabricated' as _load_id,
    'fabricated' as _source_ref,
    timestamp '2024-12-20 09:00' as _changed_at,
    timestamp '2025-01-05 02:00' as _loaded_at,
    false as _is_deleted
from range(0, {events}) as r(i);
