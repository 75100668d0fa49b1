with genders as (

    select label, code
    from {{ ref('stg_catalogue__scale_labels') }}
    where scale = 'gender'

)

select
    b.board_seat_id,
    b.account_id,
    b.contact_id,
    b.seat_role,
    coalesce(m.region, 'Not stated') as region,
    coalesce(g.code, 'undisclosed') as gender,
    b.term_starts_on,
    b.term_ends_on
from {{ ref('stg_zoho_crm__board_seats') }} as b
left join {{ ref('dim_member') }} as m on m.account_id = b.account_id
left join {{ ref('stg_zoho_crm__contacts') }} as c on c.contact_id = b.contact_id
left join genders as g on g.label = lower(trim(c.gender_answer))
