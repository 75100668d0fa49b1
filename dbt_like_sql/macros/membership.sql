{# Membership in time. Stretches hold from their first day to before their last; an empty end is open. #}

{# version: alias of dim_member_version. True of exactly one version of an organisation on any day. #}
{% macro valid_on(version, day) -%}
    ({{ version }}.valid_from is null or {{ version }}.valid_from <= {{ day }})
    and ({{ version }}.valid_to is null or {{ version }}.valid_to > {{ day }})
{%- endmacro %}

{# spell: alias of dim_membership. Never true of a spell that ended before it began. #}
{% macro covers(spell, day) -%}
    ({{ spell }}.began_on is null or {{ spell }}.began_on <= {{ day }})
    and ({{ spell }}.ended_on is null or {{ spell }}.ended_on > {{ day }})
{%- endmacro %}

{# Organisations of a kind (is_member, is_associate) on the last day of each period. #}
{% macro members_at_the_end(kind) %}
    select p.period, v.account_id, v.region, v.jurisdiction_type
    from periods as p
    join {{ ref('dim_member_version') }} as v on v.{{ kind }} and {{ valid_on('v', 'p.as_of_on') }}
    join {{ ref('dim_membership') }} as s on s.account_id = v.account_id and {{ covers('s', 'p.as_of_on') }}
{% endmacro %}

{# Memberships of a kind that began in each period, in the region of that day. #}
{% macro memberships_begun(kind) %}
    select p.period, s.membership_id, v.region
    from periods as p
    join {{ ref('dim_membership') }} as s
        on s.began_on >= p.starts_on
        and s.began_on <= p.as_of_on
        and (s.ended_on is null or s.ended_on >= s.began_on)
    join {{ ref('dim_member_version') }} as v
        on v.account_id = s.account_id and v.{{ kind }} and {{ valid_on('v', 's.began_on') }}
{% endmacro %}

{# Memberships of a kind that ended in each period, in the region of the last day as a member. #}
{% macro memberships_ended(kind) %}
    select p.period, s.membership_id, v.region
    from periods as p
    join {{ ref('dim_membership') }} as s
        on s.ended_on >= p.starts_on
        and s.ended_on <= p.as_of_on
        and (s.began_on is null or s.ended_on >= s.began_on)
    join {{ ref('dim_member_version') }} as v
        on v.account_id = s.account_id
        and v.{{ kind }}
        and {{ valid_on('v', 'greatest(s.ended_on - 1, coalesce(s.began_on, s.ended_on - 1))') }}
{% endmacro %}
