with listed as (

    select position, name_en as region, name_en, name_fr, name_es
    from {{ ref('stg_catalogue__regions') }}

),

unlisted as (

    select distinct region
    from {{ ref('stg_zoho_crm__account_versions') }}
    where region is not null and region not in (select region from listed)

)

select position, region, name_en, name_fr, name_es from listed
union all
select 98, region, region, region, region from unlisted
union all
select 99, 'Not stated', 'Not stated', 'Non précisée', 'Sin especificar'
