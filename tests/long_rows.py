"""Tests and rows that take long and whose kind shorter ones of every run show: the campaign tries them.

Each took over 1.4 s of a processor. A row is named as pytest names it: ``test_what_is_asked[row]``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LONG: Mapping[str, Sequence[str]] = {
    "test_active.py": [
        "test_a_saved_table_keeps_them_and_fractions_too",
        "test_a_share_by_path_is_exact_in_symbols",
        "test_nothing_else_changes",
    ],
    "test_asked.py": [
        "test_conditions_that_a_model_raises_without_are_met_one_by_one",
        "test_numbers_of_two_sizes_are_put_in_another_order_in_as_many_rounds_as_their_product_asks",
        "test_what_a_part_of_a_large_table_holds_is_known_as_that_of_a_small_one",
    ],
    "test_cli_sweep.py": [
        "test_sweeping_does_not_import_flax",
    ],
    "test_cli_verify.py": [
        "test_plug_ins_without_their_devices_say_nothing",
        "test_sizes_that_no_machine_holds_are_compiled_for_all_the_same",
    ],
    "test_complex_parts.py": [
        "test_what_is_read_of_a_complex_function_counts_as_xla_counts_it[the conjugate's imaginary]",
    ],
    "test_decisions_beside.py": [
        "test_a_form_is_split_by_no_decision_that_divides_by_nothing_at_small_sizes",
        "test_groups_that_are_bounded_in_number_have_numbers_below_the_bound_of_each_stage",
        "test_what_is_decided_by_a_size_beside_a_depth_is_known_at_every_depth[a width that layers grow to]",
    ],
    "test_diff.py": [
        "test_the_budgets_name_the_model_its_inputs_and_its_options",
    ],
    "test_first_trace.py": [
        "test_the_first_closed_form_of_a_process_is_that_of_the_second",
    ],
    "test_first_try.py": [
        "test_a_random_key_may_be_held_by_the_program",
        "test_a_size_of_the_input_may_be_the_depth_of_an_unrolled_model",
        "test_patches_are_sampled_inside_their_images",
        "test_sizes_of_the_input_that_are_equal_by_chance_are_no_condition",
    ],
    "test_kernels_of_jax.py": [
        "test_flash_attention_in_closed_form_has_the_two_products_of_attention",
    ],
    "test_laws.py": [
        "test_gradients_have_the_products_of_their_forward_pass_and_xla_counts_those_inside[1 of every run]",
        "test_gradients_have_the_products_of_their_forward_pass_and_xla_counts_those_inside[2 of every run]",
        "test_gradients_have_the_products_of_their_forward_pass_and_xla_counts_those_inside[3 of every run]",
    ],
    "test_laws_transposed.py": [
        "test_a_unet_in_training_is_three_forward_passes_less_one_gradient[(2, 2)]",
    ],
    "test_layers.py": [
        "test_formulas_equal_the_trace_of_the_flax_twin[112-LSTM-n,N,c]",
        "test_formulas_equal_the_trace_of_the_flax_twin[122-Repeat-n,N,d]",
    ],
    "test_nearest.py": [
        "test_every_row_is_the_exact_value_as_a_float",
    ],
    "test_plan_constraint.py": [
        "test_a_file_and_the_command_line_keep_it",
        "test_a_modules_result_lies_as_the_plan_says[cpu-perceptron]",
    ],
    "test_plan_few_points.py": [
        "test_a_program_that_asks_for_its_mesh_is_traced_at_every_point",
        "test_a_written_program_has_the_numbers_of_the_traced_one",
    ],
    "test_plan_numbers.py": [
        "test_a_number_along_two_axes_is_divided_by_their_product",
        "test_axes_divide_numbers_as_they_are[float32[B,36]-60-forward-point2]",
    ],
    "test_plan_optimizers.py": [
        "test_the_state_is_cut_as_its_parameters[adam]",
    ],
    "test_plan_own.py": [
        "test_what_the_model_says_is_a_plan[logical]",
        "test_what_the_model_says_is_a_plan[nnx]",
    ],
    "test_plan_saved.py": [
        "test_a_plan_reads_back_whole[point0]",
    ],
    "test_plan_search.py": [
        "test_nothing_beats_the_front",
        "test_the_best_of_all_is_found[tensor-communication]",
        "test_the_best_of_all_is_found[tensor-step_time]",
        "test_zero_shares_what_the_data_axes_have_copies_of",
    ],
    "test_plan_steps.py": [
        "test_a_step_of_nnx_and_optax_is_cut_as_its_state[cpu-cut1-524288]",
        "test_parts_of_a_kernel_that_an_axis_cuts_across_are_told_with_their_array",
        "test_tokens_are_sent_to_experts_by_hand",
    ],
    "test_plan_verdicts.py": [
        "test_a_program_of_explicit_axes_is_traced_as_it_is[cpu-linen]",
        "test_a_program_written_for_every_device_is_traced_as_it_is",
        "test_a_sequence_lies_along_the_axis_of_the_tensors_between_their_products[cpu-forward]",
        "test_devices_of_the_data_axis_share_the_state_of_the_optimizer[stepped_by_hand-2-8-sizes1-cpu]",
    ],
    "test_plans.py": [
        "test_a_verdict_compares_the_bytes_of_each_kind[cpu-tensor]",
        "test_bytes_by_kind_are_those_of_the_compiled_program[tensor]",
    ],
    "test_readme.py": [
        "test_the_budget_it_shows_holds",
    ],
    "test_referee.py": [
        "test_a_look_at_values_by_the_host_is_no_work[cpu]",
        "test_a_sharded_program_says_what_its_devices_exchange[8]",
    ],
    "test_reference_models.py": [
        "test_layers_equal_the_trace_and_xla[convnext_tiny]",
        "test_layers_equal_the_trace_and_xla[mobilenet_v2]",
        "test_layers_equal_the_trace_and_xla[resnet50]",
        "test_layers_equal_the_trace_in_symbols[alexnet]",
        "test_multipliers_may_be_symbols[efficientnet_b0]",
    ],
    "test_saved.py": [
        "test_verbs_on_saved_tables_need_no_jax",
    ],
    "test_sources.py": [
        "test_verify_takes_programs_and_networks_and_says_why_no_other",
    ],
    "test_sweep_columns.py": [
        "test_columns_need_little_more_memory_than_their_results",
    ],
    "test_sweep_engines.py": [
        "test_fronts_of_three_and_four_objectives_are_those_of_all_pairs[numpy]",
        "test_jax_agrees_with_sympy",
    ],
    "test_tables_made.py": [
        "test_a_model_with_such_a_table_is_answered_beside_its_depth[plain]",
    ],
    "test_trace_constants.py": [
        "test_large_arrays_of_points_where_the_model_raises_are_let_go",
        "test_tables_of_indices_stay_small_by_default_and_the_form_is_right[Relative]",
    ],
    "test_trace_domain.py": [
        "test_groups_of_heads_hold_from_one_head_on[True]",
    ],
    "test_trace_programs.py": [
        "test_remat_recomputes_and_saves_less",
    ],
    "test_trace_properties.py": [
        "test_closed_form_of_a_random_model_equals_xla_and_a_concrete_trace[image-linen-forward]",
        "test_closed_form_of_a_random_model_equals_xla_and_a_concrete_trace[volume-nnx-forward]",
    ],
    "test_trace_referee.py": [
        "test_the_command_line_prints_the_words_and_takes_the_option[options0]",
    ],
    "test_trace_roundings.py": [
        "test_a_rounded_width_is_right_at_every_value_of_its_domain[MobileNetV2, the width itself]",
        "test_a_width_without_a_closed_form_is_an_error_that_says_what_to_give",
    ],
    "test_trained.py": [
        "test_a_layer_that_only_deep_models_have_bounds_the_depth",
    ],
    "test_twins.py": [
        "test_a_built_network_is_a_linen_module_that_runs",
        "test_a_mask_hides_what_comes_later",
    ],
    "test_upto.py": [
        "test_a_depth_is_tried_as_far_as_is_asked_and_its_form_is_right_there[long_numbers]",
    ],
    "test_verify.py": [
        "test_another_process_takes_what_is_kept_and_a_damaged_entry_counts_as_absent",
        "test_forward_and_backward_are_apart",
    ],
    "test_widths_made.py": [
        "test_many_single_values_are_told_by_one_condition",
    ],
    "test_xla_mesh.py": [
        "test_collectives_are_those_of_the_partitioning[cpu-parameters sharded]",
    ],
}
