{# 95 % intervals of shares and means: one place for their formulas. #}

{#
  The columns low and high of a figure.
  Shares: the score interval of E. B. Wilson (1927), in per cent; 1.96 is the quantile of the normal distribution.
  Means, a net score among them (the mean of 100, 0 and -100): Student (1908), value -/+ t * sqrt(variance / n), within
  the scale. The quantile t of n - 1 degrees of freedom is the expansion of Abramowitz and Stegun, 26.7.5: off by less
  than 0.1 % from four degrees on. Fewer than five values, or values that are all the same, give no interval.
  Both say how far chance alone reaches, and nothing of who did not answer.
#}
{% macro bounds(of, kind, scale, unbounded) %}
    {%- set z = '1.959963984540054' -%}
    {%- set zz = '3.841458820694124' -%}
    {%- set share = '(' ~ of ~ '.numerator / ' ~ of ~ '.denominator)' -%}
    {%- set size = of ~ '.denominator' -%}
    {%- set free = '(' ~ of ~ '.denominator - 1)' -%}
    {%- if kind == 'percent' -%}
        {%- set known = of ~ '.denominator > 0 and ' ~ of ~ '.numerator between 0 and ' ~ of ~ '.denominator and not ('
            ~ unbounded ~ ')' -%}
        {%- set centre = '(' ~ share ~ ' + ' ~ zz ~ ' / (2 * ' ~ size ~ ')) / (1 + ' ~ zz ~ ' / ' ~ size ~ ')' -%}
        {%- set half = z ~ ' / (1 + ' ~ zz ~ ' / ' ~ size ~ ') * sqrt(' ~ share ~ ' * (1 - ' ~ share ~ ') / ' ~ size
            ~ ' + ' ~ zz ~ ' / (4 * ' ~ size ~ ' * ' ~ size ~ '))' -%}
    case when {{ known }} then greatest(0.0, 100 * ({{ centre }} - {{ half }})) end as low,
    case when {{ known }} then least(100.0, 100 * ({{ centre }} + {{ half }})) end as high
    {%- elif kind in ('mean', 'net') -%}
        {%- set known = of ~ '.denominator >= 5 and ' ~ of ~ '.variance > 0' -%}
        {%- set quantile = '(' ~ z ~ ' + 2.372271230298562 / ' ~ free ~ ' + 2.8224986157396112 / (' ~ free ~ ' * ' ~ free
            ~ ') + 2.555849679507722 / power(' ~ free ~ ', 3) + 1.5895340533938225 / power(' ~ free ~ ', 4))' -%}
        {%- set half = quantile ~ ' * sqrt(' ~ of ~ '.variance / ' ~ size ~ ')' -%}
    case when {{ known }} then greatest({{ scale[0] }}.0, {{ of }}.value - {{ half }}) end as low,
    case when {{ known }} then least({{ scale[1] }}.0, {{ of }}.value + {{ half }}) end as high
    {%- else -%}
    cast(null as double precision) as low,
    cast(null as double precision) as high
    {%- endif -%}
{% endmacro %}
