{#
  The variance of a sample, the same in every order of the rows: sums of whole scores are exact, where var_samp goes
  row by row and its last digit depends on the order, so that a table built again would differ from one built before.
#}
{% macro sample_variance(score) -%}
    case
        when count({{ score }}) > 1
            then greatest(
                (
                    cast(count({{ score }}) as double precision)
                    * sum(cast({{ score }} as double precision) * cast({{ score }} as double precision))
                    - sum(cast({{ score }} as double precision)) * sum(cast({{ score }} as double precision))
                ) / (cast(count({{ score }}) as double precision) * (count({{ score }}) - 1)),
                0.0
            )
    end
{%- endmacro %}
