select distinct event_id, 'theme' as topic, trim(part.word) as category
from {{ ref('dim_event') }} as e, unnest(string_to_array(e.themes, ';')) as part(word)
where trim(part.word) <> ''

union all

select distinct event_id, 'line_of_action', trim(part.word)
from {{ ref('dim_event') }} as e, unnest(string_to_array(e.lines_of_action, ';')) as part(word)
where trim(part.word) <> ''
