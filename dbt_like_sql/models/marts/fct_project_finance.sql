-- Amounts in the currency of the reports; empty where the exchange rate is not stated.
with amounts as (

    select
        f.*,
        p.currency,
        p.donor,
        p.line_of_action,
        case
            when p.currency is null or p.currency = '{{ var("currency") }}' then 1.0
            when f.rate > 0 then 1.0 / f.rate
        end as factor
    from {{ ref('stg_workbook__project_finances') }} as f
    join {{ ref('dim_project') }} as p on p.project_id = f.project_id

)

select
    finance_id,
    project_id,
    year,
    budget,
    spent,
    coalesce(currency, '{{ var("currency") }}') as currency,
    budget * factor as budget_converted,
    spent * factor as spent_converted,
    donor,
    line_of_action,
    document,
    stated_in
from amounts
